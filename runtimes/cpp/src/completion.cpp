#include "completion.hpp"

#include <nlohmann/json.hpp>

#include "json_text.hpp"
#include "text.hpp"

namespace agentloop {
namespace {

using nlohmann::json;

/// The field of an object, or none if there is no such field, or no object.
json const* field(json const* value, char const* name) {
    if (value == nullptr || !value->is_object())
        return nullptr;
    auto const found = value->find(name);
    return found == value->end() ? nullptr : &*found;
}

/// The text of a string, empty for everything else.
std::string_view text_of(json const* value) {
    return value != nullptr && value->is_string() ? value->get_ref<std::string const&>() : std::string_view();
}

json parse_chunk(std::string_view data) {
    json chunk;
    try {
        chunk = parse_json(data);
    } catch (NotJson const&) {
        // It is no object then either.
    }
    if (!chunk.is_object())
        throw BrokenStream(BrokenStream::Kind::malformed,
                           "the stream holds something that is no JSON object: " + std::string(data));
    return chunk;
}

/// The message of an error object, whatever its shape.
std::string message(json const& error) {
    auto const* message = field(&error, "message");
    return message != nullptr && message->is_string() ? message->get<std::string>() : error.dump();
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
    auto const chunk = parse_chunk(data);
    if (auto const* error = field(&chunk, "error"); error != nullptr && !error->is_null())
        throw BrokenStream(BrokenStream::Kind::endpoint,
                           "the endpoint reports in the stream: " + message(*error));
    if (auto const* usage = field(&chunk, "usage"); usage != nullptr && usage->is_object())
        usage_ = usage->dump();
    auto const* choices = field(&chunk, "choices");
    if (finished() || choices == nullptr || !choices->is_array() || choices->empty())
        return;
    auto const& choice = choices->front();
    text_ += text_of(field(field(&choice, "delta"), "content"));
    finish_reason_ = text_of(field(&choice, "finish_reason"));
}

}  // namespace agentloop
