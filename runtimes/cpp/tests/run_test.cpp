/// Whole runs of both programs, as the harness starts them, and what is left when they have ended.

#include <doctest/doctest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <latch>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "json_text.hpp"
#include "process.hpp"
#include "scripted_server.hpp"
#include "temporary_folder.hpp"

using namespace agentloop;
using nlohmann::json;

namespace {

struct Events {
    static constexpr char const* PROGRAM = EXECUTABLES_FOLDER "/agentloop-events";
};

struct Threads {
    static constexpr char const* PROGRAM = EXECUTABLES_FOLDER "/agentloop-threads";
};

// A test of both programs, whose path is `runtime`. Unlike with TEST_CASE_TEMPLATE alone, its body is
// compiled once.
#define DEFINE_TEST_OF_BOTH(body, title)                  \
    static void body(std::string const& runtime);         \
    TEST_CASE_TEMPLATE(title, Runtime, Events, Threads) { \
        body(Runtime::PROGRAM);                           \
    }                                                     \
    static void body([[maybe_unused]] std::string const& runtime)
#define TEST_OF_BOTH(title) DEFINE_TEST_OF_BOTH(DOCTEST_ANONYMOUS(test_of_both_), title)

std::string const GOOD = "```python\ndef f():\n    return 1\n```";
std::string const PROMPTS_FILE = CONTRACT_FOLDER "/prompts.json";

/// The text that a field holds.
std::string text(json const& object, char const* field) {
    return object.at(field).get<std::string>();
}

/// A program that may be sent signals while it runs.
class Program {
  public:
    Program(std::string const& program, std::vector<std::string> argv)
        : child_(program, argv, {{"PATH", "/usr/bin:/bin"}, {"LLM_API_KEY", "sk-secret"}}, "/", 1'000'000) {}

    void send(int stop) { REQUIRE(syscall(SYS_pidfd_send_signal, child_.pidfd(), stop, nullptr, 0) == 0); }

    /// Waits for its end; nothing may be on its stdout.
    Finished wait() {
        Finished finished = child_.finish(after(60));
        CHECK(finished.output == "");
        CHECK(!finished.timed_out);
        return finished;
    }

  private:
    Child child_;
};

/// A run file in a folder of its own, ready to be changed and started.
class RunFolder {
  public:
    explicit RunFolder(std::string const& base_url, int tasks = 3)
        : settings(parse_json(R"({
              "contract_version": 1, "model": "m", "request": {"temperature": 0.0}, "max_retries": 3,
              "verify": {"argv": ["sh", "-c", "echo '1 passed in 0.01s'"], "env": {"PATH": "/usr/bin:/bin"},
                         "timeout_s": 60, "slots": 2, "output_limit_bytes": 65536},
              "timeouts": {"connect_s": 10, "event_idle_s": 60, "total_s": 120},
              "transport": {"max_retries": 1, "base_s": 0.001, "cap_s": 0.001}
          })")) {
        settings["base_url"] = base_url;
        settings["agents"] = tasks;
        settings["prompts_file"] = PROMPTS_FILE;
        settings["tasks_file"] = folder / "tasks.jsonl";
        settings["workspaces"] = folder / "workspaces";
        settings["events"] = folder / "events.jsonl";
        std::filesystem::create_directory(folder / "workspaces");
        write_tasks(std::vector<std::int64_t>(static_cast<std::size_t>(tasks)));
    }

    /// Writes a task for each of these starts.
    void write_tasks(std::vector<std::int64_t> const& starts_after_ns) const {
        std::string lines;
        for (std::size_t number = 0; number < starts_after_ns.size(); ++number)
            lines += R"({"task_id":"T/)" + std::to_string(number) +
                     R"(","prompt":"def f():\n","tests":"from solution import *\n","entry_point":"f",)" +
                     R"("start_after_ns":)" + std::to_string(starts_after_ns[number]) + "}\n";
        write_text(folder / "tasks.jsonl", lines);
    }

    TemporaryFolder const folder;
    json settings;

    Program started(std::string const& runtime) const {
        write_text(folder / "run.json", settings.dump());
        return Program(runtime, {"agentloop", folder / "run.json"});
    }

    /// Runs to the end; returns the exit status, or minus the signal, and what is on stderr.
    std::string finish(std::string const& runtime) const {
        Finished const finished = started(runtime).wait();
        return std::to_string(finished.exit_code ? *finished.exit_code : -*finished.signal) + finished.errors;
    }

    std::vector<json> events(std::string const& kind) const {
        std::string const lines = text_of(folder / "events.jsonl");
        CHECK(lines.find("sk-secret") == std::string::npos);
        std::vector<json> all, found;
        for (std::size_t at = 0; at < lines.size(); at = lines.find('\n', at) + 1)
            all.push_back(parse_json(lines.substr(at, lines.find('\n', at) - at)));
        REQUIRE(!all.empty());
        CHECK(text(all.front(), "event") == "run_start");
        CHECK(text(all.back(), "event") == "run_end");
        std::ranges::copy_if(all, std::back_inserter(found),
                             [&](json const& event) { return text(event, "event") == kind; });
        return found;
    }

    /// The outcome of each task, of which there is one.
    std::map<std::string, std::string> outcomes() const {
        std::map<std::string, std::string> outcomes;
        for (json const& task : events("task"))
            CHECK(outcomes.emplace(task.at("task"), task.at("outcome")).second);
        return outcomes;
    }

    bool no_workspace_is_left() const { return std::filesystem::is_empty(folder / "workspaces"); }
};

using Outcomes = std::map<std::string, std::string>;

Outcomes const ALL_PASSED{{"T/0", "passed"}, {"T/1", "passed"}, {"T/2", "passed"}};
Outcomes const ALL_ERRORS{{"T/0", "error"}, {"T/1", "error"}, {"T/2", "error"}};

void reply_good(Exchange const& exchange) {
    exchange.reply(GOOD);
}

bool asks_for(Exchange const& exchange, std::string const& task) {
    return exchange.body.find(task) != std::string::npos;
}

}  // namespace

TEST_OF_BOTH("tasks pass at once, after feedback, and never") {
    ScriptedServer const server([](Exchange const& exchange) {
        auto const messages = parse_json(exchange.body).at("messages");
        auto const attempt = messages.size() / 2;
        bool const passes = asks_for(exchange, "T/0") || (asks_for(exchange, "T/1") && attempt == 3);
        exchange.reply(attempt == 2 ? "No code yet." : passes ? GOOD : "```python\nwrong\n```");
    });
    RunFolder run(server.url());
    run.settings["verify"]["argv"] = {
        "sh", "-c",
        "grep -q wrong solution.py && { echo 1 failed in 0.02s; exit 1; }; echo 1 passed in 0.01s"};
    CHECK(run.finish(runtime) == "0");
    CHECK(run.outcomes() == Outcomes{{"T/0", "passed"}, {"T/1", "passed"}, {"T/2", "failed"}});
    std::map<std::string, std::vector<std::string>> verdicts;
    for (json const& attempt : run.events("attempt"))
        verdicts[attempt.at("task")].push_back(attempt.at("verdict"));
    CHECK(verdicts["T/0"] == std::vector<std::string>{"passed"});
    CHECK(verdicts["T/1"] == std::vector<std::string>{"failed", "no_code", "passed"});
    CHECK(verdicts["T/2"] == std::vector<std::string>{"failed", "no_code", "failed", "failed"});
    auto const bodies = server.bodies();
    json const last = parse_json(*std::ranges::max_element(bodies, {}, &std::string::size)).at("messages");
    CHECK(last.size() == 8);
    CHECK(text(last[2], "content") == "```python\nwrong\n```");
    CHECK(text(last[3], "content").find("1 failed\n") != std::string::npos);
    CHECK(run.no_workspace_is_left());
}

TEST_OF_BOTH("stamps are in order and of the one clock") {
    ScriptedServer const server(reply_good);
    RunFolder run(server.url(), 5);
    run.settings["agents"] = 2;
    CHECK(run.finish(runtime) == "0");
    auto const attempts = run.events("attempt");
    CHECK(attempts.size() == 5);
    for (json const& attempt : attempts) {
        std::vector<std::int64_t> stamps{run.events("run_start").front().at("t")};
        for (auto const* const name : {"t_begin", "t_request", "t_first", "t_last", "t_queue", "t_spawn",
                                       "t_started", "t_exit", "t_end"})
            stamps.push_back(attempt.at(name));
        stamps.push_back(run.events("run_end").front().at("t"));
        CHECK(std::ranges::is_sorted(stamps));
        CHECK(attempt.at("exit_code").get<int>() == 0);
    }
}

TEST_OF_BOTH("agents are at work together") {
    // Nobody is answered before all have asked.
    std::latch everybody(30);
    ScriptedServer const server([&](Exchange const& exchange) {
        if (exchange.number < 30)
            everybody.arrive_and_wait();
        exchange.reply(GOOD);
    });
    RunFolder run(server.url(), 60);
    run.settings["agents"] = 30;
    CHECK(run.finish(runtime) == "0");
    CHECK(std::ranges::all_of(run.outcomes(), [](auto const& task) { return task.second == "passed"; }));
    CHECK(server.connections() == 30);
}

TEST_OF_BOTH("no task begins before its start is due") {
    ScriptedServer const server(reply_good);
    RunFolder run(server.url());
    std::vector<std::int64_t> const starts{0, 0, 20'000'001, 150'000'000, 150'000'000, 300'000'000};
    run.write_tasks(starts);
    SUBCASE("as many agents as tasks") {
        run.settings["agents"] = 6;
    }
    SUBCASE("an agent that takes one after the other") {
        run.settings["agents"] = 1;
    }
    CHECK(run.finish(runtime) == "0");
    std::int64_t const start = run.events("run_start").front().at("t");
    auto const attempts = run.events("attempt");
    CHECK(attempts.size() == starts.size());
    for (json const& attempt : attempts) {
        std::string const task = attempt.at("task");
        CHECK(text(attempt, "verdict") == "passed");
        CHECK(std::int64_t(attempt.at("t_begin")) >= start + starts.at(std::stoul(task.substr(2))));
    }
}

TEST_OF_BOTH("more agents than tasks") {
    ScriptedServer const server(reply_good);
    RunFolder run(server.url());
    run.settings["agents"] = 1'000'000'000;
    CHECK(run.finish(runtime) == "0");
    CHECK(run.outcomes() == ALL_PASSED);
}

TEST_OF_BOTH("a completion that cannot be had is an error of its task") {
    ScriptedServer const server([](Exchange const& exchange) {
        asks_for(exchange, "T/1") ? exchange.refuse(401, "", "bad key sk-secret") : exchange.reply(GOOD);
    });
    RunFolder run(server.url());
    CHECK(run.finish(runtime) == "0");
    CHECK(run.outcomes() == Outcomes{{"T/0", "passed"}, {"T/1", "error"}, {"T/2", "passed"}});
    for (json const& event : run.events("attempt")) {
        if (text(event, "task") != "T/1")
            continue;
        CHECK(text(event, "verdict") == "error");
        CHECK(text(event, "reason") == "the endpoint answered 401: bad key ***");
        CHECK(event.at("completion_sha256").is_null());
        CHECK(event.at("t_first").is_null());
    }
}

TEST_OF_BOTH("what the endpoint reports never ends the run") {
    std::string value;
    SUBCASE("half of a surrogate pair") {
        value = R"("\ud800")";
    }
    SUBCASE("a number too large") {
        value = "1e999";
    }
    SUBCASE("no number") {
        value = "NaN";
    }
    SUBCASE("depth") {
        value = std::string(100'000, '[') + std::string(100'000, ']');
    }
    SUBCASE("what is no UTF-8") {
        value = "\"\xff\"";
    }
    ScriptedServer const server([&](Exchange const& exchange) {
        std::string const data = asks_for(exchange, "T/1")
                                     ? "data: {\"error\":{\"message\":" + value + "}}\n\n"
                                     : Exchange::content(GOOD) + Exchange::finish() +
                                           "data: {\"usage\":{\"x\":" + value + "}}\n\n";
        exchange.send(Exchange::stream_head() + Exchange::chunk(data) + Exchange::chunk(""));
    });
    RunFolder run(server.url());
    CHECK(run.finish(runtime) == "0");
    CHECK(run.outcomes() == Outcomes{{"T/0", "passed"}, {"T/1", "error"}, {"T/2", "passed"}});
}

TEST_OF_BOTH("a timeout is told to the model") {
    ScriptedServer const server(reply_good);
    RunFolder run(server.url(), 1);
    run.settings["verify"]["argv"] = {"sleep", "1000"};
    run.settings["verify"]["timeout_s"] = 0.1;
    run.settings["max_retries"] = 1;
    CHECK(run.finish(runtime) == "0");
    for (json const& attempt : run.events("attempt")) {
        CHECK(text(attempt, "verdict") == "timed_out");
        CHECK(attempt.at("exit_code").is_null());
        CHECK(attempt.at("signal").get<int>() == SIGKILL);
        CHECK(attempt.at("timed_out").get<bool>());
    }
    CHECK(parse_json(server.bodies().at(1)).at("messages").back().at("content") ==
          parse_json(text_of(PROMPTS_FILE)).at("timed_out"));
}

TEST_OF_BOTH("children have the given environment and no key") {
    ScriptedServer const server(reply_good);
    RunFolder run(server.url(), 1);
    run.settings["verify"]["argv"] = {"sh", "-c", "env > ../environment; echo 1 passed in 0.01s"};
    CHECK(run.finish(runtime) == "0");
    std::string const environment = text_of(run.folder / "workspaces/environment");
    CHECK(environment.find("PATH=/usr/bin:/bin\n") != std::string::npos);
    CHECK(environment.find("sk-secret") == std::string::npos);
}

namespace {

constexpr std::array STOPS{std::pair{SIGINT, 130}, std::pair{SIGTERM, 143}};

}  // namespace

TEST_OF_BOTH("a signal in the stream") {
    for (auto const& [stop, status] : STOPS) {
        ScriptedServer server([](Exchange const& exchange) {
            exchange.send(Exchange::stream_head() + Exchange::chunk(Exchange::content("some")));
            exchange.hang();
        });
        RunFolder run(server.url(), 6);
        run.settings["agents"] = 2;
        Program program = run.started(runtime);
        server.wait_for(2);
        program.send(stop);
        auto const finished = program.wait();
        CHECK(finished.exit_code == status);
        CHECK(finished.errors == "");
        CHECK(run.outcomes().size() == 6);
        std::map<int, int> by_attempts;
        for (json const& task : run.events("task")) {
            CHECK(text(task, "outcome") == "error");
            CHECK(text(task, "reason") == "interrupted");
            ++by_attempts[task.at("attempts")];
        }
        CHECK(by_attempts == std::map<int, int>{{0, 4}, {1, 2}});
        auto const attempts = run.events("attempt");
        CHECK(attempts.size() == 2);
        for (json const& attempt : attempts) {
            CHECK(text(attempt, "verdict") == "interrupted");
            CHECK(text(attempt, "reason") == "interrupted");
        }
    }
}

TEST_OF_BOTH("a signal before a start is due") {
    for (auto const& [stop, status] : STOPS) {
        ScriptedServer server([](Exchange const& exchange) { exchange.hang(); });
        RunFolder run(server.url());
        run.write_tasks({0, 100'000'000, 3'600'000'000'000, std::numeric_limits<std::int64_t>::max()});
        run.settings["agents"] = 4;
        Program program = run.started(runtime);
        // When the second has asked, those whose start is far away have been waiting for a while.
        server.wait_for(2);
        program.send(stop);
        auto const finished = program.wait();
        CHECK(finished.exit_code == status);
        CHECK(finished.errors == "");
        std::map<std::string, int> attempts;
        for (json const& task : run.events("task")) {
            CHECK(text(task, "outcome") == "error");
            CHECK(text(task, "reason") == "interrupted");
            CHECK(attempts.emplace(task.at("task"), task.at("attempts")).second);
        }
        CHECK(attempts == std::map<std::string, int>{{"T/0", 1}, {"T/1", 1}, {"T/2", 0}, {"T/3", 0}});
        CHECK(run.events("attempt").size() == 2);
        CHECK(server.connections() == 2);
    }
}

TEST_OF_BOTH("a signal at the start") {
    ScriptedServer const server(reply_good);
    for (auto const& [stop, status] : STOPS) {
        RunFolder run(server.url());
        std::string const prompts = run.folder / "prompts.json";
        REQUIRE(mkfifo(prompts.c_str(), 0600) == 0);
        run.settings["prompts_file"] = prompts;
        Program program = run.started(runtime);
        {
            // Opening waits until the program reads.
            std::ofstream being_read(prompts);
            program.send(stop);
            being_read << text_of(PROMPTS_FILE);
        }
        CHECK(program.wait().exit_code == status);
        CHECK(run.outcomes() == ALL_ERRORS);
        // No task has been taken.
        CHECK(run.events("attempt").empty());
        CHECK(server.connections() == 0);
        CHECK(run.no_workspace_is_left());
    }
}

TEST_CASE("after a signal no agent begins with a task") {
    ScriptedServer server([](Exchange const& exchange) { exchange.hang(); });
    RunFolder run(server.url(), 500);
    Program program = run.started(Events::PROGRAM);
    // By far not all agents have begun when the first has asked.
    server.wait_for(1);
    program.send(SIGTERM);
    CHECK(program.wait().exit_code == 143);
    CHECK(run.outcomes().size() == 500);
    CHECK(run.events("attempt").size() < 500);
}

TEST_OF_BOTH("a signal in the verification, and another") {
    for (auto const& [stop, status] : STOPS) {
        ScriptedServer server(reply_good);
        RunFolder run(server.url());
        std::string const pipe = run.folder / "pids";
        REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
        run.settings["verify"]["argv"] = {"sh", "-c", "trap '' TERM INT; echo $$ > " + pipe + "; sleep 1000"};
        FileDescriptor const kept_open(open(pipe.c_str(), O_RDWR | O_CLOEXEC));
        std::ifstream lines(pipe);
        Program program = run.started(runtime);
        std::array<pid_t, 2> pids{};
        lines >> pids[0] >> pids[1];
        // The third agent, for which there is no slot, has begun as well.
        server.wait_for(3);
        program.send(stop);
        program.send(stop);
        auto const finished = program.wait();
        CHECK(finished.exit_code == status);
        CHECK(finished.errors == "");
        CHECK(run.outcomes() == ALL_ERRORS);
        CHECK(run.events("attempt").size() == 3);
        for (json const& attempt : run.events("attempt"))
            CHECK(text(attempt, "verdict") == "interrupted");
        CHECK(run.no_workspace_is_left());
        for (pid_t const pid : pids)
            CHECK(kill(pid, 0) == -1);
    }
}

TEST_OF_BOTH("an event file that is full") {
    // It may not grow beyond 2,048 bytes, which stands for a disk that is full.
    ScriptedServer const server(reply_good);
    RunFolder run(server.url(), 20);
    run.settings["agents"] = 4;
    write_text(run.folder / "run.json", run.settings.dump());
    Program program("/bin/sh",
                    {"sh", "-c", "ulimit -f 4; exec " + runtime + " " + (run.folder / "run.json")});
    auto const finished = program.wait();
    CHECK(finished.exit_code == 1);
    CHECK(finished.errors ==
          "agentloop: " + (run.folder / "events.jsonl") + ": cannot be written (File too large)\n");
    CHECK(run.no_workspace_is_left());
}

TEST_OF_BOTH("a solution that the machine refuses to write") {
    // No file may grow beyond 8,192 bytes, which is enough for the events.
    ScriptedServer const server([](Exchange const& exchange) {
        exchange.reply(asks_for(exchange, "T/1") ? "```python\n" + std::string(10'000, 'x') + "\n```" : GOOD);
    });
    RunFolder run(server.url());
    write_text(run.folder / "run.json", run.settings.dump());
    auto const finished =
        Program("/bin/sh", {"sh", "-c", "ulimit -f 16; exec " + runtime + " " + (run.folder / "run.json")})
            .wait();
    CHECK(finished.exit_code == 0);
    CHECK(finished.errors == "");
    CHECK(run.outcomes() == Outcomes{{"T/0", "passed"}, {"T/1", "error"}, {"T/2", "passed"}});
    for (json const& event : run.events("attempt"))
        if (text(event, "task") == "T/1")
            CHECK(text(event, "reason").find("File too large") != std::string::npos);
    CHECK(run.no_workspace_is_left());
}

TEST_OF_BOTH("a solution that leaves a huge tree") {
    ScriptedServer const server(reply_good);
    RunFolder run(server.url(), 1);
    run.settings["verify"]["argv"][2] =
        "mkdir -p a/b; for n in $(seq 1000); do : > $n; : > a/$n; : > a/b/$n; done; echo '1 passed in 0.01s'";
    CHECK(run.finish(runtime) == "0");
    CHECK(run.outcomes() == Outcomes{{"T/0", "passed"}});
    CHECK(run.no_workspace_is_left());
}

TEST_OF_BOTH("workspaces that vanish are errors of their tasks") {
    RunFolder run("", 1);
    ScriptedServer const server([&](Exchange const& exchange) {
        std::filesystem::remove(run.folder / "workspaces");
        exchange.reply(GOOD);
    });
    run.settings["base_url"] = server.url();
    CHECK(run.finish(runtime) == "0");
    json const task = run.events("task").front();
    CHECK(text(task, "outcome") == "error");
    CHECK(text(task, "reason").find("No such file or directory") != std::string::npos);
}

TEST_OF_BOTH("what cannot be used is one line and exit status 2") {
    ScriptedServer const server(reply_good);
    RunFolder run(server.url());
    std::string told;
    SUBCASE("a field") {
        run.settings["agents"] = true;
        told = (run.folder / "run.json") + ": agents is true; it must be an integer of at least 1";
    }
    SUBCASE("a verifier") {
        run.settings["verify"]["argv"] = {"no-such-program"};
        told =
            "verify.argv: \"no-such-program\" cannot be run; name a program by its path or on the PATH of "
            "verify.env";
    }
    SUBCASE("an event file that is there") {
        write_text(run.folder / "events.jsonl", "x");
        told = "events: " + (run.folder / "events.jsonl") +
               " cannot be created (File exists); name a file that is not there";
    }
    CHECK(run.finish(runtime) == "2agentloop: " + told + "\n");
}

TEST_OF_BOTH("the usage") {
    auto const finished = Program(runtime, {"agentloop"}).wait();
    CHECK(finished.exit_code == 2);
    CHECK(finished.errors ==
          "agentloop: 0 run files are given and one is needed; usage: agentloop run.json, or: agentloop "
          "tools FOLDER\n");
}
