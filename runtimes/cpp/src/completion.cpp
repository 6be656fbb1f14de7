#include "completion.hpp"

#include <array>
#include <cstddef>

#include "canonical.hpp"
#include "json_text.hpp"
#include "json_view.hpp"
#include "text.hpp"

namespace agentloop {
namespace {

/// The fields of an object by their names; the last counts of those with one name.
template <std::size_t Count>
std::array<JsonView, Count> fields(JsonView object, std::array<std::string_view, Count> const& names) {
    std::array<JsonView, Count> values;
    object.for_each_field([&](JsonView name, JsonView value) {
        for (std::size_t index = 0; index < Count; ++index)
            if (name.says(names[index]))
                values[index] = value;
    });
    return values;
}

JsonView parse_chunk(std::string_view data) {
    auto const chunk = JsonView::of(data);
    if (!chunk || !chunk->is_object())
        throw BrokenStream(BrokenStream::Kind::malformed,
                           "the stream holds something that is no JSON object: " + std::string(data));
    return *chunk;
}

/// The message of an error, whatever its shape.
std::string message(JsonView error) {
    auto const [message] = fields<1>(error, {"message"});
    if (message.is_string())
        return message.text();
    try {
        return canonical_text(error.json());
    } catch (NotJson const&) {
        return std::string(error.json());
    }
}

}  // namespace

void Completion::add(std::string_view data) {
    data = stripped(data);
    if (ended_ || data.empty())
        return;
    if (data == "[DONE]") {
        ended_ = true;
        return;
    }
    try {
        add_chunk(data);
    } catch (BrokenStream const&) {
        if (!finished())
            throw;
        ended_ = true;
    }
}

void Completion::end() {
    ended_ = true;
    if (!finished())
        throw BrokenStream(BrokenStream::Kind::truncated, "the stream ended before a finish_reason");
}

void Completion::add_chunk(std::string_view data) {
    auto const [error, usage, choices] = fields<3>(parse_chunk(data), {"error", "usage", "choices"});
    if (!error.is_null())
        throw BrokenStream(BrokenStream::Kind::endpoint,
                           "the endpoint reports in the stream: " + message(error));
    if (usage.is_object())
        take_usage(usage.json());
    if (finished())
        return;
    auto const [delta, finish_reason] = fields<2>(choices.first(), {"delta", "finish_reason"});
    auto const [content] = fields<1>(delta, {"content"});
    content.append_text(text_);
    finish_reason.append_text(finish_reason_);
}

void Completion::take_usage(std::string_view json) {
    try {
        usage_ = canonical_text(json);
    } catch (NotJson const&) {
        // Whoever reads the events might not read numbers of such a size either.
    }
}

}  // namespace agentloop
