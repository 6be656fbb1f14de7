#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace agentloop {

/// The one JSON text in UTF-8 that all runtimes agree on. Source: runtimes/CONTRACT.md, "Request".
///
/// Keys are sorted by code point, there is no white space, only what JSON demands is escaped, and a number
/// without a fraction is an integer with all its digits.
std::string canonical(nlohmann::json const& value);

/// Appends `text`, which is UTF-8, as a JSON string with its quotes.
void append_quoted(std::string& json, std::string_view text);

}  // namespace agentloop
