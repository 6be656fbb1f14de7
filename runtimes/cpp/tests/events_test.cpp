#include "events.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>
#include <vector>

#include "clock.hpp"
#include "errors.hpp"
#include "temporary_folder.hpp"

using namespace agentloop;
using nlohmann::json;

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
    auto const event = json::parse(attempt.event());
    CHECK(event["t_first"] == 9'223'372'036'854'775'807);
    CHECK(event["usage"]["total_tokens"] == 3);
    CHECK(event["exit_code"] == 1);
    CHECK(event["timed_out"] == true);
    CHECK(event["verdict"] == "timed_out");
    CHECK(event["reason"] == "not UTF-8: \uFFFD");

    auto const next = attempt.following();
    CHECK(next.task == "T");
    CHECK(next.attempt == 3);
    CHECK(next.t_begin == 7);
    CHECK(next.transport_retries == 0);
    CHECK(!next.verdict);
}

TEST_CASE("the other events") {
    auto const before = now_ns();
    auto const start = json::parse(run_start_event(7));
    auto const task = json::parse(task_event("T", Outcome::error, 2, "why"));
    auto const end = json::parse(run_end_event());
    CHECK(start["event"] == "run_start");
    CHECK(start["contract_version"] == 1);
    CHECK(start["pid"] == getpid());
    CHECK(task["event"] == "task");
    CHECK(task["task"] == "T");
    CHECK(task["outcome"] == "error");
    CHECK(task["attempts"] == 2);
    CHECK(task["reason"] == "why");
    CHECK(json::parse(task_event("T", Outcome::passed, 1, std::nullopt))["reason"].is_null());
    CHECK(end["event"] == "run_end");
    CHECK(start["t"] == 7);
    CHECK(before <= task["t"]);
    CHECK(task["t"] <= end["t"]);
    CHECK(end["t"] <= now_ns());
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
    std::vector<int> counts(4);
    for (std::string line; std::getline(lines, line);)
        ++counts.at(json::parse(line)["attempts"].get<std::size_t>());
    CHECK(counts == std::vector<int>(4, 100));
}

TEST_CASE("an event file that is there is not touched") {
    TemporaryFolder const folder;
    write_text(folder / "events.jsonl", "precious\n");
    auto const path = folder / "events.jsonl";
    auto const told = "events: " + path + " cannot be created (File exists); name a file that is not there";
    CHECK_THROWS_WITH_AS(EventFile{path}, told.c_str(), InvalidInput);
    CHECK(text_of(path) == "precious\n");
}
