#pragma once

#include <string>
#include <string_view>

namespace agentloop {

/// The SHA-256 of `data` in lower-case hexadecimal. Source: FIPS 180-4.
std::string sha256_hex(std::string_view data);

}  // namespace agentloop
