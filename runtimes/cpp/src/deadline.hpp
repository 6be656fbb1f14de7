#pragma once

#include <algorithm>
#include <chrono>
#include <climits>

namespace agentloop {

/// CLOCK_MONOTONIC, as for `now_ns`.
using Clock = std::chrono::steady_clock;

/// The deadline of what may take for ever.
inline constexpr Clock::time_point NEVER = Clock::time_point::max();

/// When `seconds` after `start` will be; run files may hold more seconds than the clock can count.
inline Clock::time_point after(double seconds, Clock::time_point start = Clock::now()) {
    constexpr double A_CENTURY_S = 3.2e9;
    if (seconds > A_CENTURY_S)
        return NEVER;
    return start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

/// How long to wait for a deadline in whole milliseconds, rounded up, as poll(2) counts: -1 is for ever.
inline int poll_timeout_ms(Clock::time_point deadline) {
    if (deadline == NEVER)
        return -1;
    auto const left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    return static_cast<int>(std::clamp<long long>(left, 0, INT_MAX));
}

}  // namespace agentloop
