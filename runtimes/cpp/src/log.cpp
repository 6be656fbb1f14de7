#include "log.hpp"

#include <cstdio>
#include <string>

namespace agentloop {

void log_line(std::string_view message) {
    // In one piece, so that no other process's line gets into it.
    auto const line = "agentloop: " + std::string(message) + '\n';
    std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace agentloop
