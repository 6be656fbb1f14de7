#include "tasks.hpp"

#include <doctest/doctest.h>

#include "errors.hpp"
#include "temporary_folder.hpp"

using namespace agentloop;

namespace {

std::string const TASK = R"({"task_id":"T/1","prompt":"p","tests":"t","entry_point":"f"})";

/// Why tasks cannot be used, after the path of their file.
std::string reason_of_tasks(std::string const& text) {
    TemporaryFolder const folder;
    auto const path = folder / "tasks.jsonl";
    write_text(path, text);
    try {
        check_tasks(path);
    } catch (InvalidInput const& failure) {
        std::string const message = failure.what();
        REQUIRE(message.starts_with(path));
        return message.substr(path.size());
    }
    return "can be used";
}

}  // namespace

TEST_CASE("tasks are read one by one") {
    TemporaryFolder const folder;
    std::string const second =
        "{\"task_id\":\"T/2\",\"prompt\":\"a\u2028b\u0085c\",\"tests\":\"t\","
        "\"entry_point\":\"f\",\"start_after_ns\":9223372036854775807}";
    write_text(folder / "tasks.jsonl", TASK + "\r\n" + second);
    CHECK(check_tasks(folder / "tasks.jsonl") == 2);
    TaskReader tasks(folder / "tasks.jsonl");
    auto const first = tasks.next();
    CHECK(first->task_id == "T/1");
    CHECK(first->start_after_ns == 0);
    auto const next = tasks.next();
    CHECK(next->prompt == "a\u2028b\u0085c");
    CHECK(next->start_after_ns == 9223372036854775807);
    CHECK(!tasks.next());
    CHECK(!tasks.next());
}

TEST_CASE("tasks that cannot be used") {
    std::string const without_tests = R"({"task_id":"T/1","prompt":"p","tests":null,"entry_point":"f"})";
    CHECK(reason_of_tasks("\n").starts_with(", line 1: is not JSON ("));
    CHECK(reason_of_tasks(TASK + "\nx\n").starts_with(", line 2: is not JSON ("));
    CHECK(reason_of_tasks(without_tests) == ", line 1: tests is null; it must be a string");
    for (auto const* const start : {"-1", "0.5", "9223372036854775808", "\"0\"", "true", "null"}) {
        auto const task = R"({"task_id":"T/1","prompt":"p","tests":"t","entry_point":"f","start_after_ns":)" +
                          std::string(start) + "}";
        CHECK(reason_of_tasks(task) ==
              ", line 1: start_after_ns is " + std::string(start) + "; it must be an integer of at least 0");
    }
    CHECK(reason_of_tasks(TASK + "\n" + TASK) == ": task_id 'T/1' is there twice; give every task its own");
    CHECK(reason_of_tasks("") == ": holds no task; write one JSON object a line");
    CHECK_THROWS_WITH_AS(
        check_tasks("/no/such/file"),
        "/no/such/file: cannot be read (No such file or directory); name a UTF-8 file that is there",
        InvalidInput);
    CHECK_THROWS_WITH_AS(check_tasks("/"),
                         "/: cannot be read (Is a directory); name a UTF-8 file that is there", InvalidInput);
}
