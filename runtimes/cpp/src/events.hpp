#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "file_descriptor.hpp"
#include "verdict.hpp"

namespace agentloop {

/// The record of one attempt, stamped by everything that works on it.
///
/// Times are integer nanoseconds of CLOCK_MONOTONIC, none while the phase has not happened. Source:
/// runtimes/CONTRACT.md, "Events".
struct Attempt {
    std::string task;
    std::int64_t attempt = 1;
    std::int64_t t_begin = 0;
    std::optional<std::int64_t> t_request;
    std::optional<std::int64_t> t_first;
    std::optional<std::int64_t> t_last;
    std::optional<std::int64_t> t_queue;
    std::optional<std::int64_t> t_spawn;
    std::optional<std::int64_t> t_started;
    std::optional<std::int64_t> t_exit;
    std::optional<std::int64_t> t_end;
    std::int64_t transport_retries = 0;
    std::int64_t transport_ns = 0;
    std::optional<std::string> request_sha256;
    std::optional<std::string> completion_sha256;
    /// The endpoint's usage object as JSON text.
    std::string usage = "null";
    std::optional<int> exit_code;
    std::optional<int> signal;
    bool timed_out = false;
    std::optional<Verdict> verdict;
    std::optional<std::string> reason;

    /// The attempt event, as JSON.
    std::string event() const;

    /// The record of the next attempt, which begins when this one ends.
    Attempt following() const;
};

/// What became of a task.
enum class Outcome { passed, failed, error };

/// The first event of a run, which started at `t`, as JSON.
std::string run_start_event(std::int64_t t);

/// The last event of a run, as JSON.
std::string run_end_event();

/// The task event, as JSON; `reason` is for errors.
std::string task_event(std::string_view task_id, Outcome outcome, std::int64_t attempts,
                       std::optional<std::string> const& reason);

/// A file of JSON lines, each written by one system call so that a reader never waits for one.
class EventFile {
  public:
    /// Creates the file; throws `InvalidInput`, also when it is there already: two runs never share one.
    explicit EventFile(std::string path);

    /// Appends one event, which holds no line end; throws `EventFileFailed`. Threads may call it at once.
    void emit(std::string_view event);

  private:
    std::string path_;
    FileDescriptor file_;
    std::mutex one_at_a_time_;
};

}  // namespace agentloop
