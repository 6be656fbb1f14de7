#include "text.hpp"

#include <algorithm>
#include <cstdint>

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
    for (text = stripped(text); !text.empty(); text = stripped(text)) {
        auto const word = text.substr(0, text.find_first_of(WHITE_SPACE));
        if (!line.empty())
            line += ' ';
        line += word;
        text.remove_prefix(word.size());
    }
    return line;
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
