#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace agentloop {

/// The one JSON text in UTF-8 that all runtimes agree on. Source: runtimes/CONTRACT.md, "Request".
///
/// Keys are sorted by code point, there is no white space, only what JSON demands is escaped, and a number
/// without a fraction is an integer with all its digits.
std::string canonical(nlohmann::json const& value);

/// The same of the value that a JSON text is; throws `NotJson`.
std::string canonical_text(std::string_view json);

/// The fields of an object by their names, each as canonical JSON.
using CanonicalFields = std::map<std::string, std::string>;

CanonicalFields canonical_fields(nlohmann::json const& object);

/// Appends `text`, which is UTF-8, as a JSON string with its quotes.
void append_quoted(std::string& json, std::string_view text);

}  // namespace agentloop
