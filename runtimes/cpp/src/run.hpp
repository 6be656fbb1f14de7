#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

#include "clock.hpp"
#include "deadline.hpp"
#include "endpoint.hpp"
#include "events.hpp"
#include "messages.hpp"
#include "run_file.hpp"
#include "stop_signals.hpp"
#include "tasks.hpp"

namespace agentloop {

/// All that a run needs, put together from its run file.
class Run {
  public:
    /// Reads what the run file names and creates the event file; throws `InvalidInput`.
    explicit Run(RunFile file);

    RunFile const file;
    Prompts const prompts;
    /// How many agents have something to do.
    std::size_t const agents;
    Endpoint const endpoint;
    EventFile events;
    /// When the run started.
    std::int64_t const t_start = now_ns();

    /// The next task, or none when all are taken; throws `InvalidInput`. Threads may call it at once.
    std::optional<Task> next_task();

    /// When a task may begin.
    Clock::time_point start_of(Task const& task) const;

  private:
    TaskReader tasks_;
    std::mutex one_at_a_time_;
};

/// What a program does with the tasks of a run until all are solved; throws `Interrupted` after a signal.
using Work = std::function<void(Run& run, StopSignals& signals)>;

/// A whole program, from its arguments to its exit status; whatever goes wrong is one line on stderr.
///
/// Source: runtimes/CONTRACT.md, "Exit" and "Tools".
int run_program(int argument_count, char const* const* arguments, Work const& work);

}  // namespace agentloop
