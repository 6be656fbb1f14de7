#pragma once

#include <string>
#include <string_view>

namespace agentloop {

/// What the contract calls white space, and nothing else.
inline constexpr std::string_view WHITE_SPACE = " \t\n\r\v\f";

/// `text` without white space at its end.
std::string_view without_trailing_white_space(std::string_view text);

/// `text` without white space at both ends.
std::string_view stripped(std::string_view text);

/// `text` with every run of white space, control characters and line separators made one space, and none at
/// the ends. Source: rule 3 of reasons.json in runtimes/contract/vectors/README.md.
std::string in_one_line(std::string_view text);

/// `text` with ASCII letters in lower case.
std::string in_lower_case(std::string_view text);

/// `text` with every `old` replaced, from left to right; what was put in is not looked at again.
std::string replaced(std::string_view text, std::string_view old, std::string_view by);

/// Whether `bytes` are well-formed UTF-8.
bool is_utf_8(std::string_view bytes);

/// `bytes` with U+FFFD for each maximal subpart of what is not UTF-8. Source: the WHATWG encoding standard.
std::string decoded(std::string_view bytes);

}  // namespace agentloop
