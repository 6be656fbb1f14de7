#include "event_loop.hpp"

#include <doctest/doctest.h>

#include <sys/eventfd.h>

#include <algorithm>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>

#include "stop.hpp"

using namespace agentloop;

namespace {

void run(EventLoop& loop, Async<void> one) {
    std::vector<Async<void>> work;
    work.push_back(std::move(one));
    loop.run(std::move(work));
}

void run(EventLoop& loop, Async<void> one, Async<void> other) {
    std::vector<Async<void>> work;
    work.push_back(std::move(one));
    work.push_back(std::move(other));
    loop.run(std::move(work));
}

Async<std::string> text() {
    co_return "text";
}

Async<int> failing() {
    throw std::runtime_error("failed");
    co_return 1;
}

/// Waits for ever, and notes how it ended.
Async<void> wait_for_ever(EventLoop& loop, std::string& ending) {
    Wakeup never(loop);
    auto const note = std::shared_ptr<void>(nullptr, [&](void*) { ending += " and unwound"; });
    try {
        co_await never.until(NEVER);
    } catch (Interrupted const&) {
        ending = "interrupted";
        throw;
    }
}

Async<void> fail(EventLoop& loop) {
    Wakeup nothing(loop);
    co_await nothing.until(after(0.01));
    throw std::runtime_error("failed");
}

}  // namespace

TEST_CASE("results, failures and plain values reach the coroutine that awaits them") {
    auto const all = []() -> Async<std::string> {
        std::string result = co_await text() + std::to_string(co_await 7);
        try {
            co_await failing();
        } catch (std::runtime_error const& failure) {
            result += failure.what();
        }
        co_return result;
    };
    CHECK(all().run() == "text7failed");
}

TEST_CASE("what can only be moved can be awaited") {
    auto const make = []() -> Async<std::unique_ptr<int>> { co_return std::make_unique<int>(3); };
    auto const use = [&]() -> Async<int> { co_return *co_await make() + *co_await std::make_unique<int>(4); };
    CHECK(use().run() == 7);
}

TEST_CASE("deadlines come in their order, whatever was taken out between") {
    std::mt19937 random(20240613);
    EventLoop loop;
    for (int round = 0; round < 20; ++round) {
        auto const start = Clock::now();
        std::vector<int> called, expected;
        std::vector<std::unique_ptr<Timer>> timers;
        for (int number = 0; number < 200; ++number) {
            int const at = static_cast<int>(random() % 1000);
            timers.push_back(std::make_unique<Timer>(loop, start + std::chrono::microseconds(at),
                                                     [&called, at] { called.push_back(at); }));
            expected.push_back(at);
        }
        for (int removed = 0; removed < 100; ++removed) {
            std::size_t const index = random() % timers.size();
            timers.erase(timers.begin() + static_cast<std::ptrdiff_t>(index));
            expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(index));
        }
        std::ranges::sort(expected);
        run(loop, [](EventLoop& on) -> Async<void> {
            Wakeup nothing(on);
            CHECK(!co_await nothing.until(after(0.005)));
        }(loop));
        CHECK(called == expected);
    }
}

TEST_CASE("a wakeup ends the waiting, and the next one if nobody waits") {
    EventLoop loop;
    Wakeup wakeup(loop);
    std::string told;
    auto const waits = [&]() -> Async<void> {
        told += co_await wakeup.until(NEVER) ? "woken " : "late ";
        told += co_await wakeup.until(after(0.001)) ? "woken " : "late ";
        told += co_await wakeup.until(NEVER) ? "woken " : "late ";
    };
    auto const wakes = [&]() -> Async<void> {
        wakeup.wake();
        wakeup.wake();
        Wakeup nothing(loop);
        co_await nothing.until(after(0.05));
        wakeup.wake();
    };
    run(loop, waits(), wakes());
    CHECK(told == "woken late woken ");
}

TEST_CASE("a failure stops all others, which unwind, and is thrown at the end") {
    EventLoop loop;
    std::string ending;
    CHECK_THROWS_WITH_AS(run(loop, wait_for_ever(loop, ending), fail(loop)), "failed", std::runtime_error);
    CHECK(ending == "interrupted and unwound");
}

TEST_CASE("a stopped loop interrupts what begins to wait later, too") {
    EventLoop loop;
    std::string first, second;
    auto const stops = [&]() -> Async<void> {
        loop.stop();
        co_await wait_for_ever(loop, second);
    };
    CHECK_THROWS_AS(run(loop, wait_for_ever(loop, first), stops()), Interrupted);
    CHECK(first == "interrupted and unwound");
    CHECK(second == "interrupted and unwound");
}

TEST_CASE("a timer that fails stops the loop, in which all end in order") {
    EventLoop loop;
    std::string ending;
    Timer const bad(loop, after(0.001), [] { throw std::runtime_error("in a timer"); });
    CHECK_THROWS_WITH_AS(run(loop, wait_for_ever(loop, ending)), "in a timer", std::runtime_error);
    CHECK(ending == "interrupted and unwound");
    CHECK(loop.stopping());
}

TEST_CASE("a watch that fails stops the loop, in which all end in order, and may outlive the run") {
    EventLoop loop;
    FileDescriptor const readable(eventfd(1, EFD_CLOEXEC));
    std::string ending;
    int calls = 0;
    {
        Watch const bad(loop, readable.get(), EPOLLIN, [&](std::uint32_t) {
            ++calls;
            throw std::runtime_error("in a watch");
        });
        CHECK_THROWS_WITH_AS(run(loop, wait_for_ever(loop, ending)), "in a watch", std::runtime_error);
        CHECK(ending == "interrupted and unwound");
    }
    CHECK(calls == 1);
}

TEST_CASE("a watch is called while it lives, even if another ends it in the same turn") {
    EventLoop loop;
    FileDescriptor const first(eventfd(1, EFD_CLOEXEC)), second(eventfd(1, EFD_CLOEXEC));
    std::unique_ptr<Watch> watches[2];
    Wakeup called(loop);
    int calls = 0;
    auto const end_both = [&](std::uint32_t) {
        ++calls;
        watches[0].reset();
        watches[1].reset();
        called.wake();
    };
    watches[0] = std::make_unique<Watch>(loop, first.get(), EPOLLIN, end_both);
    watches[1] = std::make_unique<Watch>(loop, second.get(), EPOLLIN, end_both);
    run(loop, [](Wakeup& wakeup) -> Async<void> {
        co_await wakeup.until(NEVER);
        co_await wakeup.until(after(0.01));
    }(called));
    CHECK(calls == 1);
}

TEST_CASE("a watch that ceases is called no more") {
    EventLoop loop;
    FileDescriptor const readable(eventfd(1, EFD_CLOEXEC));
    int calls = 0;
    Watch watch(loop, readable.get(), EPOLLIN, [&](std::uint32_t) {
        if (++calls == 3)
            watch.cease();
    });
    run(loop, [](EventLoop& on) -> Async<void> {
        Wakeup nothing(on);
        co_await nothing.until(after(0.02));
    }(loop));
    CHECK(calls == 3);
}
