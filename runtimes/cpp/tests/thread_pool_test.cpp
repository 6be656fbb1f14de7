#include "thread_pool.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <barrier>
#include <latch>
#include <memory>
#include <stdexcept>

using namespace agentloop;

TEST_CASE("every job is done once") {
    constexpr std::size_t JOBS = 2000;
    std::array<std::atomic<int>, JOBS> done{};
    ThreadPool pool(8, std::stop_source());
    for (std::size_t job = 0; job < JOBS; ++job)
        pool.submit([&done, job](std::size_t) { ++done[job]; });
    pool.wait();
    CHECK(std::ranges::all_of(done, [](auto const& times) { return times == 1; }));
}

TEST_CASE("all workers are at work together") {
    std::barrier everybody(32);
    std::array<std::atomic<bool>, 32> worked{};
    ThreadPool pool(32, std::stop_source());
    for (int job = 0; job < 32; ++job)
        pool.submit([&](std::size_t worker) {
            everybody.arrive_and_wait();
            worked[worker] = true;
        });
    pool.wait();
    CHECK(std::ranges::all_of(worked, [](auto const& one) { return one.load(); }));
}

TEST_CASE("a worker does its newest job first, and the others steal its oldest") {
    std::latch has_submitted(1);
    std::atomic<bool> is_stolen = false;
    std::vector<int> own, stolen;
    ThreadPool pool(2, std::stop_source());
    std::latch both_are_at_work(2);
    pool.submit(
        [&](std::size_t worker) {
            both_are_at_work.arrive_and_wait();
            for (int job = 1; job <= 3; ++job)
                pool.submit(
                    [&, job, worker](std::size_t by) {
                        (by == worker ? own : stolen).push_back(job);
                        if (by != worker) {
                            is_stolen = true;
                            is_stolen.notify_one();
                        }
                    },
                    worker);
            has_submitted.count_down();
            is_stolen.wait(false);
        },
        0);
    pool.submit(
        [&](std::size_t) {
            both_are_at_work.arrive_and_wait();
            has_submitted.wait();
        },
        1);
    pool.wait();
    REQUIRE(!stolen.empty());
    CHECK(stolen.front() == 1);
    CHECK(std::ranges::is_sorted(stolen));
    CHECK(std::ranges::is_sorted(own, std::greater()));
    CHECK(own.size() + stolen.size() == 3);
}

TEST_CASE("jobs that make jobs are all waited for") {
    std::atomic<int> grown = 0, others = 0;
    ThreadPool pool(4, std::stop_source());
    ThreadPool::Job const grow = [&](std::size_t worker) {
        if (++grown <= 500) {
            pool.submit(grow, worker);
            pool.submit([&](std::size_t) { ++others; });
        }
    };
    pool.submit(grow);
    pool.wait();
    CHECK(grown == 501);
    CHECK(others == 500);
}

TEST_CASE("a pool can be waited for again and again, from several threads") {
    std::atomic<int> done = 0;
    ThreadPool pool(3, std::stop_source());
    pool.wait();
    for (int round = 1; round <= 50; ++round) {
        std::jthread const other([&] {
            for (int job = 0; job < 10; ++job)
                pool.submit([&](std::size_t) { ++done; });
        });
        for (int job = 0; job < 10; ++job)
            pool.submit([&](std::size_t) { ++done; });
        pool.wait();
    }
    pool.wait();
    CHECK(done == 1000);
}

TEST_CASE("the first failure reaches whoever waits, and drops the jobs that wait") {
    std::stop_source stop;
    std::atomic<int> done = 0;
    auto const waiting = std::make_shared<int>();
    ThreadPool pool(1, stop);
    pool.submit([&](std::size_t) {
        for (int job = 0; job < 100; ++job)
            pool.submit([&done, waiting](std::size_t) { ++done; });
        throw std::runtime_error("of no use");
    });
    CHECK_THROWS_WITH_AS(pool.wait(), "of no use", std::runtime_error);
    CHECK(stop.stop_requested());
    CHECK(done == 0);
}

TEST_CASE("a stop lets the jobs under way end, and drops those that wait") {
    auto const waiting = std::make_shared<int>();
    std::atomic<bool> ended = false;
    {
        std::stop_source stop;
        std::latch is_under_way(1);
        ThreadPool pool(1, stop);
        pool.submit([&](std::size_t) {
            is_under_way.count_down();
            while (!stop.stop_requested())
                std::this_thread::yield();
            ended = true;
        });
        for (int job = 0; job < 10; ++job)
            pool.submit([waiting](std::size_t) {});
        is_under_way.wait();
        stop.request_stop();
        pool.wait();
        CHECK(ended);
    }
    CHECK(waiting.use_count() == 1);
}

TEST_CASE("a pool that goes ends its threads") {
    std::atomic<int> done = 0;
    for (int round = 0; round < 50; ++round) {
        ThreadPool pool(4, std::stop_source());
        pool.submit([&](std::size_t) { ++done; });
    }
    CHECK(done <= 50);
}
