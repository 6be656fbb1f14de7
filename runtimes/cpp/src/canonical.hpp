#pragma once

#include <nlohmann/json_fwd.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

namespace agentloop {

/// A number cannot be written with all its digits.
struct NumberTooLarge : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The one JSON text in UTF-8 that all runtimes agree on. Source: runtimes/CONTRACT.md, "Request".
///
/// Keys are sorted by code point, there is no white space, only what JSON demands is escaped, and a number
/// without a fraction is an integer. Throws `NumberTooLarge` for integers of more than 64 bits, of which
/// the digits are not known any more.
std::string canonical(nlohmann::json const& value);

/// Appends `text`, which is UTF-8, as a JSON string with its quotes.
void append_quoted(std::string& json, std::string_view text);

}  // namespace agentloop
