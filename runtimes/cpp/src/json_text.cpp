#include "json_text.hpp"

#include <nlohmann/json.hpp>
#include <vector>

namespace agentloop {
namespace {

using nlohmann::json;

/// Says where in a text something is, given the fields that lead there by depth; those of lists are empty.
std::string place(std::vector<std::string> const& fields) {
    std::string text;
    for (auto const& field : fields)
        if (!field.empty())
            text += (text.empty() ? "at " : ".") + field;
    return text.empty() ? text : text + ": ";
}

/// What nlohmann's exceptions say, without their own name in brackets.
std::string_view reason(json::exception const& failure) {
    std::string_view const what = failure.what();
    return what.substr(what.find("] ") + 2);
}

}  // namespace

json parse_json(std::string_view text) {
    // The parser takes a NUL for the end and passes over a byte order mark; JSON has neither.
    if (text.find('\0') != std::string_view::npos)
        throw NotJson("there is a NUL");
    if (text.starts_with("\xEF\xBB\xBF"))
        throw NotJson("there is a byte order mark");
    std::vector<std::string> fields;
    auto const follow = [&](int depth, json::parse_event_t event, json& parsed) {
        bool const begins =
            event == json::parse_event_t::object_start || event == json::parse_event_t::array_start;
        if (begins && depth >= JSON_DEPTH_LIMIT)
            throw NotJson("objects and lists lie more than " + std::to_string(JSON_DEPTH_LIMIT) + " deep");
        if (event == json::parse_event_t::key) {
            fields.resize(static_cast<std::size_t>(depth));
            fields.back() = parsed.get_ref<std::string const&>();
        }
        return true;
    };
    try {
        return json::parse(text, follow);
    } catch (json::exception const& failure) {
        throw NotJson(place(fields) + std::string(reason(failure)));
    } catch (NotJson const& failure) {
        throw NotJson(place(fields) + failure.what());
    }
}

}  // namespace agentloop
