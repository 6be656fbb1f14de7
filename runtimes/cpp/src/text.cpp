#include "text.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace agentloop {
namespace {

constexpr std::string_view REPLACEMENT_CHARACTER = "\xEF\xBF\xBD";

/// The character at the beginning of a text, or what stands in its place.
struct Beginning {
    std::size_t length;  ///< In bytes; of a maximal subpart if it is no character.
    bool is_character;
};

/// Source: the Unicode standard, table 3-7, "Well-Formed UTF-8 Byte Sequences".
Beginning beginning(std::string_view bytes) {
    auto const byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
    auto const first = byte(0);
    if (first < 0x80)
        return {1, true};
    if (first < 0xC2 || first > 0xF4)
        return {1, false};
    std::size_t const length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    // The second byte alone rules out overlong forms, surrogates and what is beyond U+10FFFF.
    std::uint8_t lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    std::uint8_t highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    for (std::size_t i = 1; i < length; ++i) {
        if (i == bytes.size() || byte(i) < lowest || byte(i) > highest)
            return {i, false};
        lowest = 0x80;
        highest = 0xBF;
    }
    return {length, true};
}

/// How many bytes the separator of lines or words takes that a text begins with, 0 without one.
std::size_t separator_length(std::string_view text) {
    auto const byte = [&](std::size_t i) { return i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0; };
    if (byte(0) <= ' ' || byte(0) == 0x7F)
        return 1;
    if (byte(0) == 0xC2 && byte(1) >= 0x80 && byte(1) <= 0x9F)
        return 2;
    return text.starts_with("\u2028") || text.starts_with("\u2029") ? 3 : 0;
}

}  // namespace

std::string_view without_trailing_white_space(std::string_view text) {
    // Of npos + 1, which is 0, nothing is left.
    return text.substr(0, text.find_last_not_of(WHITE_SPACE) + 1);
}

std::string_view stripped(std::string_view text) {
    text = without_trailing_white_space(text);
    return text.substr(std::min(text.find_first_not_of(WHITE_SPACE), text.size()));
}

std::string in_one_line(std::string_view text) {
    std::string line;
    bool is_apart = false;
    while (!text.empty()) {
        auto const length = separator_length(text);
        if (length == 0) {
            if (std::exchange(is_apart, false) && !line.empty())
                line += ' ';
            line += text.front();
        } else {
            is_apart = true;
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return line;
}

std::string in_lower_case(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    return result;
}

std::string replaced(std::string_view text, std::string_view old, std::string_view by) {
    std::string result;
    for (auto at = text.find(old); at != std::string_view::npos; at = text.find(old)) {
        result.append(text.substr(0, at)).append(by);
        text.remove_prefix(at + old.size());
    }
    return result.append(text);
}

bool is_utf_8(std::string_view bytes) {
    while (!bytes.empty()) {
        auto const [length, is_character] = beginning(bytes);
        if (!is_character)
            return false;
        bytes.remove_prefix(length);
    }
    return true;
}

std::string decoded(std::string_view bytes) {
    std::string text;
    while (!bytes.empty()) {
        auto const [length, is_character] = beginning(bytes);
        text += is_character ? bytes.substr(0, length) : REPLACEMENT_CHARACTER;
        bytes.remove_prefix(length);
    }
    return text;
}

}  // namespace agentloop
