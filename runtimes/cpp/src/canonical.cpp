#include "canonical.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "json_text.hpp"

namespace agentloop {
namespace {

using nlohmann::json;

// Python, and so the contract, writes smaller numbers with an exponent.
constexpr double SMALLEST_WITHOUT_EXPONENT = 0.0001;

void append_number(std::string& text, double number) {
    std::array<char, 512> digits{};  // The largest double has 309.
    auto const begin = digits.data();
    auto const end = begin + digits.size();
    if (number == 0)
        text += '0';  // Also in place of -0.
    else if (std::trunc(number) == number)
        text.append(begin, std::to_chars(begin, end, number, std::chars_format::fixed, 0).ptr);
    else if (std::abs(number) < SMALLEST_WITHOUT_EXPONENT)
        text.append(begin, std::to_chars(begin, end, number, std::chars_format::scientific).ptr);
    else
        text.append(begin, std::to_chars(begin, end, number, std::chars_format::fixed).ptr);
}

void append(std::string& text, json const& value) {
    switch (value.type()) {
        case json::value_t::object: {
            char separator = '{';
            for (auto const& [name, inner] : value.items()) {
                text += std::exchange(separator, ',');
                append_quoted(text, name);
                text += ':';
                append(text, inner);
            }
            text += value.empty() ? "{}" : "}";
            break;
        }
        case json::value_t::array: {
            char separator = '[';
            for (auto const& inner : value) {
                text += std::exchange(separator, ',');
                append(text, inner);
            }
            text += value.empty() ? "[]" : "]";
            break;
        }
        case json::value_t::string:
            append_quoted(text, value.get_ref<std::string const&>());
            break;
        case json::value_t::number_float:
            append_number(text, value.get<double>());
            break;
        default:
            text += value.dump();
    }
}

}  // namespace

std::string canonical(json const& value) {
    std::string text;
    append(text, value);
    return text;
}

std::string canonical_text(std::string_view json) {
    return canonical(parse_json(json));
}

CanonicalFields canonical_fields(json const& object) {
    CanonicalFields fields;
    for (auto const& [name, value] : object.items())
        fields.emplace(name, canonical(value));
    return fields;
}

void append_quoted(std::string& text, std::string_view value) {
    constexpr std::string_view SHORT_FORMS = "\bb\tt\nn\ff\rr";
    text += '"';
    for (char const c : value) {
        if (c == '"' || c == '\\') {
            text += {'\\', c};
        } else if (static_cast<unsigned char>(c) >= ' ') {
            text += c;
        } else if (auto const at = SHORT_FORMS.find(c); at != std::string_view::npos) {
            text += {'\\', SHORT_FORMS[at + 1]};
        } else {
            text += c < 16 ? "\\u000" : "\\u001";
            text += "0123456789abcdef"[c % 16];
        }
    }
    text += '"';
}

}  // namespace agentloop
