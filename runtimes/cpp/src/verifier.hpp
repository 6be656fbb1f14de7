#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <stop_token>
#include <string>
#include <utility>

#include "async.hpp"
#include "clock.hpp"
#include "errors.hpp"
#include "event_loop.hpp"
#include "events.hpp"
#include "process.hpp"
#include "run_file.hpp"

namespace agentloop {

/// A place among the commands that may run at once, given back when the object goes.
template <typename Slots>
class Slot {
  public:
    explicit Slot(Slots& slots) : slots_(&slots) {}
    Slot(Slot&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}
    Slot& operator=(Slot&&) = delete;
    ~Slot() {
        if (slots_)
            slots_->release();
    }

  private:
    Slots* slots_;
};

/// Slots for the commands of many threads: first come, first served.
class BlockingSlots {
  public:
    BlockingSlots(std::int64_t slots, std::stop_token stop) : free_(slots), stop_(std::move(stop)) {}

    /// Waits for a slot; throws `Interrupted` when a stop is requested.
    Slot<BlockingSlots> acquire();

    /// How many threads wait for a slot.
    std::size_t waiting();

    /// Waits for a child; throws `Interrupted` when a stop is requested.
    Finished finish(Child& child, Clock::time_point deadline) { return child.finish(deadline, stop_); }

  private:
    friend Slot<BlockingSlots>;

    struct Waiting {
        std::condition_variable_any served;
        bool has_slot = false;
    };

    void release();

    std::mutex mutex_;
    std::int64_t free_;
    std::deque<Waiting*> queue_;
    std::stop_token stop_;
};

/// Slots for the commands of an event loop's coroutines: first come, first served.
class AwaitedSlots {
  public:
    AwaitedSlots(std::int64_t slots, EventLoop& loop) : free_(slots), loop_(loop) {}

    /// Waits for a slot; throws `Interrupted` when the loop stops.
    Async<Slot<AwaitedSlots>> acquire();

    /// Waits for a child; throws `Interrupted` when the loop stops.
    Async<Finished> finish(Child& child, Clock::time_point deadline);

  private:
    friend Slot<AwaitedSlots>;

    struct Waiting {
        Wakeup served;
        bool has_slot = false;
    };

    void release();

    std::int64_t free_;
    std::deque<Waiting*> queue_;
    EventLoop& loop_;
};

/// Runs the verifier in workspaces. Source: runtimes/CONTRACT.md, "Verification".
template <typename Slots>
class Verifier {
  public:
    /// `settings` and `slots` must outlive the verifier.
    Verifier(Verify const& settings, Slots& slots) : settings_(settings), slots_(slots) {}

    /// Runs the verifier in `folder` and stamps `attempt`; throws `std::system_error` when it cannot be
    /// started.
    Async<Finished> verify(std::string const& folder, Attempt& attempt) {
        attempt.t_queue = now_ns();
        Slot<Slots> const slot = co_await slots_.acquire();
        attempt.t_spawn = now_ns();
        auto const program = find_program(settings_.argv.front(), search_path(settings_.env));
        if (!program)
            throw system_failure(settings_.argv.front(), ENOENT);
        Child child(*program, settings_.argv, settings_.env, folder,
                    static_cast<std::size_t>(settings_.output_limit_bytes));
        attempt.t_started = now_ns();
        Finished finished = co_await slots_.finish(child, after(settings_.timeout_s));
        attempt.t_exit = now_ns();
        attempt.exit_code = finished.exit_code;
        attempt.signal = finished.signal;
        attempt.timed_out = finished.timed_out;
        co_return finished;
    }

  private:
    Verify const& settings_;
    Slots& slots_;
};

}  // namespace agentloop
