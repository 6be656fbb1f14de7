#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "scanner.hpp"

namespace agentloop {

/// A JSON text, looked into without being built: what nobody asks for may be of any size and depth.
///
/// Source: RFC 8259. The text, which is UTF-8, must outlive the view.
class JsonView {
  public:
    /// Nothing, which has no fields and is no text.
    JsonView() = default;

    /// The value that `text` is, or none if it is not JSON.
    static std::optional<JsonView> of(std::string_view text);

    /// The JSON text, without white space around; empty if there is no value.
    std::string_view json() const { return json_; }

    bool is_object() const { return json_.starts_with('{'); }
    bool is_string() const { return json_.starts_with('"'); }
    bool is_null() const { return json_.empty() || json_ == "null"; }

    /// Calls `on_field(JsonView name, JsonView value)` for every field of an object, and of nothing else.
    template <typename OnField>
    void for_each_field(OnField on_field) const;

    /// The first element of a list; nothing without one.
    JsonView first() const;

    /// Whether this is a string that says `text`.
    bool says(std::string_view text) const;

    /// Appends what a string says, and nothing for everything else. Half of a surrogate pair becomes U+FFFD.
    void append_text(std::string& text) const;

    /// What a string says; empty for everything else.
    std::string text() const;

  private:
    explicit JsonView(std::string_view json) : json_(json) {}

    /// Takes the value that comes next, of which it is known that it does.
    static JsonView taken(Scanner& scanner);

    std::string_view json_;
};

template <typename OnField>
void JsonView::for_each_field(OnField on_field) const {
    Scanner scanner(json_);
    if (!scanner.take("{"))
        return;
    for (auto name = taken(scanner); !name.json().empty(); name = taken(scanner)) {
        scanner.take(":");
        on_field(name, taken(scanner));
        scanner.take(",");
    }
}

}  // namespace agentloop
