#pragma once

#include <string_view>

namespace agentloop {

/// Writes one line to stderr, where the contract wants one, with the program's name before it.
void log_line(std::string_view message);

}  // namespace agentloop
