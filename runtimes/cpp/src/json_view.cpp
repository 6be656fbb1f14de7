#include "json_view.hpp"

#include <charconv>
#include <cstdint>

namespace agentloop {
namespace {

bool is_json_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool needs_no_escape(char c) {
    return c != '"' && c != '\\' && static_cast<unsigned char>(c) >= ' ';
}

bool take_string(Scanner& scanner) {
    if (!scanner.take("\""))
        return false;
    while (true) {
        scanner.take_while(needs_no_escape);
        if (scanner.take("\""))
            return true;
        if (!scanner.take("\\") || scanner.at_end())
            return false;
        char const escaped = scanner.rest().front();
        scanner.skip();
        if (escaped == 'u' ? scanner.take_while(is_hexadecimal, 4) != 4
                           : std::string_view("\"\\/bfnrt").find(escaped) == std::string_view::npos)
            return false;
    }
}

bool take_number(Scanner& scanner) {
    scanner.take("-");
    if (!scanner.take("0") && scanner.take_while(is_digit) == 0)
        return false;
    if (scanner.take(".") && scanner.take_while(is_digit) == 0)
        return false;
    if (scanner.take("e") || scanner.take("E")) {
        if (!scanner.take("+"))
            scanner.take("-");
        return scanner.take_while(is_digit) > 0;
    }
    return true;
}

void take_white_space(Scanner& scanner) {
    scanner.take_while(is_json_space);
}

/// Takes a name and its colon.
bool take_name(Scanner& scanner) {
    take_white_space(scanner);
    if (!take_string(scanner))
        return false;
    take_white_space(scanner);
    return scanner.take(":");
}

/// Takes one value of any depth, without recursion; returns whether there is one.
bool take_value(Scanner& scanner) {
    // The objects and lists that are open.
    std::string open;
    while (true) {
        take_white_space(scanner);
        if (scanner.take("{")) {
            take_white_space(scanner);
            if (!scanner.take("}")) {
                open.push_back('}');
                if (!take_name(scanner))
                    return false;
                continue;
            }
        } else if (scanner.take("[")) {
            take_white_space(scanner);
            if (!scanner.take("]")) {
                open.push_back(']');
                continue;
            }
        } else if (!take_string(scanner) && !scanner.take("true") && !scanner.take("false") &&
                   !scanner.take("null") && !take_number(scanner)) {
            return false;
        }
        // A value is complete, and perhaps those that it is the last of.
        while (!open.empty()) {
            take_white_space(scanner);
            if (scanner.take(","))
                break;
            if (!scanner.take(std::string_view(&open.back(), 1)))
                return false;
            open.pop_back();
        }
        if (open.empty())
            return true;
        if (open.back() == '}' && !take_name(scanner))
            return false;
    }
}

/// Takes the four digits of an escape.
std::uint32_t take_unit(Scanner& scanner) {
    std::uint32_t unit = 0;
    std::from_chars(scanner.rest().data(), scanner.rest().data() + 4, unit, 16);
    scanner.take_while(is_hexadecimal, 4);
    return unit;
}

void append_character(std::string& text, std::uint32_t character) {
    auto const append = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
    auto const append_rest = [&](int shift) { append(0x80 | (character >> shift & 0x3F)); };
    if (character < 0x80) {
        append(character);
    } else if (character < 0x800) {
        append(0xC0 | character >> 6);
        append_rest(0);
    } else if (character < 0x10000) {
        append(0xE0 | character >> 12);
        append_rest(6);
        append_rest(0);
    } else {
        append(0xF0 | character >> 18);
        append_rest(12);
        append_rest(6);
        append_rest(0);
    }
}

bool is_high_surrogate(std::uint32_t unit) {
    return unit >= 0xD800 && unit < 0xDC00;
}

bool is_low_surrogate(std::uint32_t unit) {
    return unit >= 0xDC00 && unit < 0xE000;
}

/// Takes what follows `\u`, and the other half of a surrogate pair.
void take_unicode(Scanner& scanner, std::string& text) {
    constexpr std::uint32_t REPLACEMENT_CHARACTER = 0xFFFD;
    std::uint32_t character = take_unit(scanner);
    if (is_high_surrogate(character)) {
        auto ahead = scanner;
        std::uint32_t const low = ahead.take("\\u") ? take_unit(ahead) : 0;
        if (is_low_surrogate(low)) {
            character = 0x10000 + ((character - 0xD800) << 10) + (low - 0xDC00);
            scanner = ahead;
        }
    }
    bool const is_half = is_high_surrogate(character) || is_low_surrogate(character);
    append_character(text, is_half ? REPLACEMENT_CHARACTER : character);
}

}  // namespace

std::optional<JsonView> JsonView::of(std::string_view text) {
    Scanner scanner(text);
    take_white_space(scanner);
    auto const begin = scanner.rest();
    if (!take_value(scanner))
        return std::nullopt;
    JsonView const value(begin.substr(0, begin.size() - scanner.rest().size()));
    take_white_space(scanner);
    return scanner.at_end() ? std::optional(value) : std::nullopt;
}

JsonView JsonView::taken(Scanner& scanner) {
    take_white_space(scanner);
    auto const begin = scanner.rest();
    if (!take_value(scanner))
        return {};
    JsonView const value(begin.substr(0, begin.size() - scanner.rest().size()));
    take_white_space(scanner);
    return value;
}

JsonView JsonView::first() const {
    Scanner scanner(json_);
    return scanner.take("[") ? taken(scanner) : JsonView();
}

bool JsonView::says(std::string_view text) const {
    bool const is_plain = json_.find('\\') == std::string_view::npos;
    if (is_plain)
        return is_string() && json_.size() == text.size() + 2 && json_.substr(1, text.size()) == text;
    return is_string() && this->text() == text;
}

void JsonView::append_text(std::string& text) const {
    Scanner scanner(json_);
    if (!scanner.take("\""))
        return;
    while (true) {
        auto const plain = scanner.rest();
        text += plain.substr(0, scanner.take_while(needs_no_escape));
        if (!scanner.take("\\"))
            return;
        constexpr std::string_view ESCAPES = "b\bf\fn\nr\rt\t";
        char const escaped = scanner.rest().front();
        scanner.skip();
        if (escaped == 'u')
            take_unicode(scanner, text);
        else if (auto const at = ESCAPES.find(escaped); at != std::string_view::npos)
            text += ESCAPES[at + 1];
        else
            text += escaped;
    }
}

std::string JsonView::text() const {
    std::string text;
    append_text(text);
    return text;
}

}  // namespace agentloop
