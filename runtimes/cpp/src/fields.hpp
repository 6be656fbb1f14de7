#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "canonical.hpp"
#include "errors.hpp"

namespace agentloop {

/// The fields of one JSON object. A field that is missing or of another type throws `InvalidInput`.
class Fields {
  public:
    /// Reads the JSON object that a file holds.
    static Fields of_file(std::string const& path);

    /// Parses the JSON object that `text` is; `where` names it in messages.
    static Fields of_text(std::string const& where, std::string_view text);

    /// A string, which may be empty.
    std::string text(std::string const& name) const;

    /// A string that is fit for a command line.
    std::string argument(std::string const& name) const;

    /// The strings of a list that is not empty; they are fit for a command line.
    std::vector<std::string> texts(std::string const& name) const;

    /// The strings of an object; they are fit for a process's environment.
    std::map<std::string, std::string> environment(std::string const& name) const;

    /// The fields of an object that may hold anything.
    CanonicalFields object(std::string const& name) const;

    /// An object whose fields are to be asked for in turn.
    Fields fields(std::string const& name) const;

    /// An integer, at most that of 64 bits.
    std::int64_t integer(std::string const& name, std::int64_t at_least) const;

    /// The same, or `absent` where there is no such field.
    std::int64_t integer(std::string const& name, std::int64_t at_least, std::int64_t absent) const;

    /// A number above 0.
    double positive(std::string const& name) const;

    /// A number of at least 0.
    double not_negative(std::string const& name) const;

    /// A path, made absolute and free of symbolic links.
    std::string path(std::string const& name) const;

    /// The path of a folder that is there and can be written to.
    std::string writable_folder(std::string const& name) const;

    /// The exception that says what a field is and what it must be.
    InvalidInput invalid(std::string const& name, std::string const& wanted) const;

    /// The same for a field that may hold a password, so that its value is not shown.
    InvalidInput invalid_unshown(std::string const& name, std::string const& wanted) const;

  private:
    using IsOfType = bool (nlohmann::json::*)() const noexcept;

    Fields(std::string where, nlohmann::json values, std::string prefix);

    nlohmann::json const* find(std::string const& name) const;
    nlohmann::json const& typed(std::string const& name, IsOfType is_of_type,
                                std::string const& wanted) const;
    double number(std::string const& name) const;

    std::string where_;
    std::shared_ptr<nlohmann::json const> values_;
    std::string prefix_;
};

}  // namespace agentloop
