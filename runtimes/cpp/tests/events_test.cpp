#include "events.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <sstream>
#include <thread>
#include <utility>
#include <vector>

#include "clock.hpp"
#include "errors.hpp"
#include "temporary_folder.hpp"

using namespace agentloop;

namespace {

/// The time of an event, and the event without it.
std::pair<std::int64_t, std::string> time_and_rest(std::string event) {
    std::size_t const at = event.find("\"t\":") + 4;
    std::size_t digits = 0;
    std::int64_t const time = std::stoll(event.substr(at), &digits);
    return {time, event.erase(at, digits)};
}

}  // namespace

TEST_CASE("an attempt that has just begun") {
    Attempt attempt;
    attempt.task = "T/\"1\"";
    attempt.t_begin = 5;
    CHECK(attempt.event() ==
          R"({"event":"attempt","task":"T/\"1\"","attempt":1,"t_begin":5,"t_request":null,"t_first":null,)"
          R"("t_last":null,"t_queue":null,"t_spawn":null,"t_started":null,"t_exit":null,"t_end":null,)"
          R"("transport_retries":0,"transport_ns":0,"request_sha256":null,"completion_sha256":null,)"
          R"("usage":null,"exit_code":null,"signal":null,"timed_out":false,"verdict":null,"reason":null})");
}

TEST_CASE("an attempt that is over, and the next") {
    Attempt attempt;
    attempt.task = "T";
    attempt.attempt = 2;
    attempt.t_first = 9'223'372'036'854'775'807;
    attempt.t_end = 7;
    attempt.usage = R"({"total_tokens":3})";
    attempt.exit_code = 1;
    attempt.timed_out = true;
    attempt.verdict = Verdict::timed_out;
    attempt.reason = "not UTF-8: \xFF";
    attempt.transport_retries = 3;
    CHECK(
        attempt.event() ==
        R"({"event":"attempt","task":"T","attempt":2,"t_begin":0,"t_request":null,"t_first":9223372036854775807,)"
        R"("t_last":null,"t_queue":null,"t_spawn":null,"t_started":null,"t_exit":null,"t_end":7,)"
        R"("transport_retries":3,"transport_ns":0,"request_sha256":null,"completion_sha256":null,)"
        R"("usage":{"total_tokens":3},"exit_code":1,"signal":null,"timed_out":true,"verdict":"timed_out",)"
        R"("reason":"not UTF-8: �"})");

    auto const next = attempt.following();
    CHECK(next.task == "T");
    CHECK(next.attempt == 3);
    CHECK(next.t_begin == 7);
    CHECK(next.transport_retries == 0);
    CHECK(!next.verdict);
}

TEST_CASE("the other events") {
    CHECK(run_start_event(7) ==
          R"({"event":"run_start","t":7,"contract_version":1,"pid":)" + std::to_string(getpid()) + "}");
    auto const before = now_ns();
    auto const failed = time_and_rest(task_event("T", Outcome::error, 2, "why"));
    auto const passed = time_and_rest(task_event("T", Outcome::passed, 1, std::nullopt));
    auto const end = time_and_rest(run_end_event());
    CHECK(failed.second ==
          R"({"event":"task","task":"T","t":,"outcome":"error","attempts":2,"reason":"why"})");
    CHECK(passed.second ==
          R"({"event":"task","task":"T","t":,"outcome":"passed","attempts":1,"reason":null})");
    CHECK(end.second == R"({"event":"run_end","t":})");
    std::array const times{before, failed.first, passed.first, end.first, now_ns()};
    CHECK(std::ranges::is_sorted(times));
}

TEST_CASE("events of many threads are whole lines") {
    TemporaryFolder const folder;
    EventFile file(folder / "events.jsonl");
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 4; ++thread)
            threads.emplace_back([&, thread] {
                for (int i = 0; i < 100; ++i)
                    file.emit(task_event("T", Outcome::passed, thread, std::nullopt));
            });
    }
    std::istringstream lines(text_of(folder / "events.jsonl"));
    std::map<std::string, int> counts;
    for (std::string line; std::getline(lines, line);)
        ++counts[time_and_rest(line).second];
    std::map<std::string, int> expected;
    for (std::string const attempts : {"0", "1", "2", "3"})
        expected[R"({"event":"task","task":"T","t":,"outcome":"passed","attempts":)" + attempts +
                 R"(,"reason":null})"] = 100;
    CHECK(counts == expected);
}

TEST_CASE("an event file that is there is not touched") {
    TemporaryFolder const folder;
    write_text(folder / "events.jsonl", "precious\n");
    auto const path = folder / "events.jsonl";
    auto const told = "events: " + path + " cannot be created (File exists); name a file that is not there";
    CHECK_THROWS_WITH_AS(EventFile{path}, told.c_str(), InvalidInput);
    CHECK(text_of(path) == "precious\n");
}
