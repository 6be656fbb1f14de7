#pragma once

#include <sys/epoll.h>

#include <array>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "async.hpp"
#include "deadline.hpp"
#include "file_descriptor.hpp"

namespace agentloop {

class Timer;
class Wakeup;
class Watch;

/// Runs coroutines in one thread, on file descriptors and deadlines. Source: epoll(7).
class EventLoop {
  public:
    /// Throws `std::system_error`.
    EventLoop();

    EventLoop(EventLoop const&) = delete;
    EventLoop& operator=(EventLoop const&) = delete;

    /// Runs all coroutines at the same time, begun one after the other, until all are over. When one throws,
    /// or the function of a watch or a timer does, the loop is stopped; what the first of them threw is
    /// thrown when all have ended.
    void run(std::vector<Async<void>> coroutines);

    /// Stops: every `Wakeup::until` that is awaited, now or later, throws `Interrupted`.
    void stop();

    /// Whether the loop has been stopped.
    bool stopping() const { return stopping_; }

  private:
    friend Timer;
    friend Wakeup;
    friend Watch;

    Async<void> supervised(Async<void> coroutine);
    void turn(bool may_wait);
    void handle(epoll_event& event);
    /// Takes note of the exception that is being handled, and stops.
    void fail() noexcept;
    void run_ready();
    void run_timers();

    void add(Timer& timer);
    void remove(Timer& timer);
    void place(Timer* timer, std::size_t index);
    void sift_up(std::size_t index);
    void sift_down(std::size_t index);

    FileDescriptor epoll_;
    std::array<epoll_event, 64> events_{};
    std::span<epoll_event> being_handled_;  ///< Those of `events_` that this turn has got.
    std::vector<std::coroutine_handle<>> ready_;
    std::vector<Timer*> timers_;  ///< A heap with the nearest deadline in front.
    std::vector<Wakeup*> awaited_;
    std::size_t running_ = 0;
    bool stopping_ = false;
    std::exception_ptr failure_;
};

/// Calls a function each time a file descriptor is ready, as long as the object lives.
class Watch {
  public:
    /// `interest` is made of EPOLLIN and EPOLLOUT; throws `std::system_error`.
    Watch(EventLoop& loop, int descriptor, std::uint32_t interest,
          std::function<void(std::uint32_t)> on_ready);
    ~Watch();

    Watch(Watch const&) = delete;
    Watch& operator=(Watch const&) = delete;

    /// Waits for something else from now on.
    void change(std::uint32_t interest);

    /// Waits for nothing any more; may be called from the function that is called.
    void cease();

  private:
    friend EventLoop;

    EventLoop& loop_;
    int descriptor_;
    std::function<void(std::uint32_t)> on_ready_;
};

/// Calls a function once, at its deadline, if the object lives so long.
class Timer {
  public:
    Timer(EventLoop& loop, Clock::time_point deadline, std::function<void()> on_deadline);
    ~Timer();

    Timer(Timer const&) = delete;
    Timer& operator=(Timer const&) = delete;

  private:
    friend EventLoop;
    static constexpr std::size_t NOWHERE = std::numeric_limits<std::size_t>::max();

    EventLoop& loop_;
    Clock::time_point deadline_;
    std::function<void()> on_deadline_;
    std::size_t index_ = NOWHERE;
};

/// What one coroutine waits for, and others announce.
class Wakeup {
  public:
    explicit Wakeup(EventLoop& loop) : loop_(loop) {}
    ~Wakeup();

    Wakeup(Wakeup const&) = delete;
    Wakeup& operator=(Wakeup const&) = delete;

    /// Ends the waiting; if nobody waits, the next waiting ends at once.
    void wake();

    class [[nodiscard]] Waiting {
      public:
        Waiting(Wakeup& wakeup, Clock::time_point deadline) : wakeup_(wakeup), deadline_(deadline) {}
        bool await_ready() const noexcept;
        void await_suspend(std::coroutine_handle<> waiting);
        bool await_resume();

      private:
        Wakeup& wakeup_;
        Clock::time_point deadline_;
    };

    /// Waits; returns whether it was woken, not by the deadline. Throws `Interrupted` when the loop stops.
    Waiting until(Clock::time_point deadline) { return {*this, deadline}; }

  private:
    friend EventLoop;

    void resume();
    void forget();

    EventLoop& loop_;
    std::coroutine_handle<> waiting_;
    std::optional<Timer> timer_;
    std::size_t index_ = 0;  ///< Its place among those that are awaited.
    bool woken_ = false;
};

}  // namespace agentloop
