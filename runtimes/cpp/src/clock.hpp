#pragma once

#include <time.h>

#include <cstdint>

namespace agentloop {

/// The time of CLOCK_MONOTONIC in nanoseconds, which processes on one machine share.
inline std::int64_t now_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace agentloop
