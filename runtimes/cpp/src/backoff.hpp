#pragma once

#include <cstdint>
#include <ctime>
#include <random>
#include <string_view>

#include "run_file.hpp"

namespace agentloop {

/// Draws how many seconds to wait after a failed try, when `failures_before` others failed before it.
///
/// Full jitter: anything up to a bound that doubles with every failure. Source: runtimes/CONTRACT.md,
/// "Transport".
double backoff_s(TransportRetries const& transport, std::int64_t failures_before, std::minstd_rand& random);

/// How many seconds a Retry-After header, a number or an HTTP date, asks to wait at the time `now`.
///
/// 0 without sense. Source: RFC 9110, sections 10.2.3 and 5.6.7.
double retry_after_s(std::string_view value, std::time_t now);

}  // namespace agentloop
