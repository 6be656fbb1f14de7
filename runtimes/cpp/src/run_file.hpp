#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base_url.hpp"
#include "canonical.hpp"

namespace agentloop {

inline constexpr int CONTRACT_VERSION = 1;

/// The variables of a process.
using Environment = std::map<std::string, std::string>;

/// How attempts are verified: what runs, in which environment, for how long, how many at once.
struct Verify {
    std::vector<std::string> argv;
    Environment env;
    double timeout_s;
    std::int64_t slots;
    std::int64_t output_limit_bytes;
};

/// Bounds of a completion, in seconds: to connect, between two data events, over all tries.
struct Timeouts {
    double connect_s;
    double event_idle_s;
    double total_s;
};

/// How often a failed try is repeated, and the base and the cap of the backoff in seconds.
struct TransportRetries {
    std::int64_t max_retries;
    double base_s;
    double cap_s;
};

/// The fields of a run file; paths are absolute and free of symbolic links.
///
/// Integers may be as large as 64 bits allow, and seconds as a double allows: who adds to them must expect
/// it.
struct RunFile {
    std::string tasks_file;
    std::string prompts_file;
    BaseUrl base_url;
    std::string model;
    CanonicalFields request;
    std::int64_t agents;
    std::int64_t max_retries;
    Verify verify;
    Timeouts timeouts;
    TransportRetries transport;
    std::string workspaces;
    std::string events;
};

/// Reads and checks a run file; throws `InvalidInput`. Source: runtimes/CONTRACT.md, "The run file".
RunFile load_run_file(std::string const& path);

}  // namespace agentloop
