#include "log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace agentloop {

void log_line(std::string_view message) {
    spdlog::logger log("agentloop", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    log.set_pattern("%n: %v");
    log.error("{}", message);
}

}  // namespace agentloop
