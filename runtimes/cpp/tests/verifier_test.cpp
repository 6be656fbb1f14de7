/// The slots, for threads and for coroutines.

#include "verifier.hpp"

#include <doctest/doctest.h>

#include <latch>
#include <thread>

#include "stop.hpp"
#include "temporary_folder.hpp"

using namespace agentloop;

TEST_CASE("threads get slots in the order in which they come, and no more than there are") {
    BlockingSlots slots(2, {});
    std::vector<int> served;
    std::mutex mutex;
    std::atomic<int> at_once = 0, most_at_once = 0;
    auto first = std::make_unique<Slot<BlockingSlots>>(slots.acquire());
    auto second = std::make_unique<Slot<BlockingSlots>>(slots.acquire());
    std::vector<std::jthread> threads;
    for (int number = 0; number < 20; ++number) {
        threads.emplace_back([&, number] {
            auto const slot = slots.acquire();
            most_at_once = std::max(most_at_once.load(), ++at_once);
            {
                std::lock_guard const lock(mutex);
                served.push_back(number);
            }
            --at_once;
        });
        while (slots.waiting() <= static_cast<std::size_t>(number))
            std::this_thread::yield();
    }
    first.reset();
    threads.clear();
    CHECK(most_at_once == 1);
    CHECK(std::ranges::is_sorted(served));
    CHECK(served.size() == 20);
}

TEST_CASE("a stop ends the waiting for a slot and loses none") {
    std::stop_source stop;
    BlockingSlots slots(1, stop.get_token());
    {
        auto const slot = slots.acquire();
        std::jthread const waits([&] { CHECK_THROWS_AS(slots.acquire(), Interrupted); });
        while (slots.waiting() == 0)
            std::this_thread::yield();
        stop.request_stop();
    }
    CHECK(slots.waiting() == 0);
    slots.acquire();
}

namespace {

Async<void> hold(EventLoop& loop, AwaitedSlots& slots, int number, std::vector<int>& served, int& at_once,
                 int& most_at_once) {
    auto const slot = co_await slots.acquire();
    served.push_back(number);
    most_at_once = std::max(most_at_once, ++at_once);
    Wakeup nothing(loop);
    co_await nothing.until(after(0.001));
    --at_once;
}

}  // namespace

TEST_CASE("coroutines get slots in the order in which they come, and no more than there are") {
    EventLoop loop;
    AwaitedSlots slots(3, loop);
    std::vector<int> served;
    int at_once = 0, most_at_once = 0;
    std::vector<Async<void>> work;
    for (int number = 0; number < 20; ++number)
        work.push_back(hold(loop, slots, number, served, at_once, most_at_once));
    loop.run(std::move(work));
    CHECK(most_at_once == 3);
    CHECK(std::ranges::is_sorted(served));
    CHECK(served.size() == 20);
}

TEST_CASE("a verification is stamped") {
    TemporaryFolder const folder;
    Verify const settings{{"sh", "-c", "pwd; exit 4"}, {{"PATH", "/usr/bin:/bin"}}, 60, 1, 1000};
    BlockingSlots slots(1, {});
    Verifier verifier(settings, slots);
    Attempt attempt;
    CHECK(verifier.verify(folder.path(), attempt).run().output == folder.path() + "\n");
    CHECK(attempt.exit_code == 4);
    CHECK(!attempt.signal);
    CHECK(!attempt.timed_out);
    std::array const stamps{attempt.t_queue.value(), attempt.t_spawn.value(), attempt.t_started.value(),
                            attempt.t_exit.value()};
    CHECK(std::ranges::is_sorted(stamps));
}

TEST_CASE("a verifier that has gone since is an error of its attempt") {
    Verify const settings{{"no-such-program"}, {}, 60, 1, 1000};
    BlockingSlots slots(1, {});
    Verifier verifier(settings, slots);
    Attempt attempt;
    CHECK_THROWS_WITH_AS(verifier.verify("/", attempt).run(), "no-such-program: No such file or directory",
                         std::system_error);
}
