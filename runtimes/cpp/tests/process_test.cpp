/// Children, waited for by a thread and in an event loop.

#include "process.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <thread>

#include "stop.hpp"
#include "temporary_folder.hpp"
#include "verifier.hpp"

using namespace agentloop;

namespace {

Environment const ENVIRONMENT{{"PATH", "/usr/bin:/bin"}};

struct Command {
    std::string script;
    double timeout_s = 60;
    std::size_t limit_bytes = 65536;
    std::string folder = "/";
    Environment environment = ENVIRONMENT;
};

Child started(Command const& command) {
    return Child("/bin/sh", {"sh", "-c", command.script}, command.environment, command.folder,
                 command.limit_bytes);
}

struct Blocking {
    static Finished run(Command const& command) { return started(command).finish(after(command.timeout_s)); }
};

struct Awaited {
    static Finished run(Command const& command) {
        EventLoop loop;
        AwaitedSlots slots(1, loop);
        Finished finished;
        std::vector<Async<void>> work;
        work.push_back(finish(slots, command, finished));
        loop.run(std::move(work));
        return finished;
    }

  private:
    static Async<void> finish(AwaitedSlots& slots, Command const& command, Finished& finished) {
        Child child = started(command);
        finished = co_await slots.finish(child, after(command.timeout_s));
    }
};

/// Whether a process runs, be it one that nobody has reaped.
bool runs(pid_t pid) {
    std::string const status = text_of("/proc/" + std::to_string(pid) + "/stat");
    return !status.empty() && status.at(status.rfind(')') + 2) != 'Z';
}

/// Waits until a process that is nobody's child here has ended.
void wait_until_gone(pid_t pid) {
    while (runs(pid))
        std::this_thread::yield();
}

}  // namespace

TEST_CASE_TEMPLATE("how a command ends and what it says", Child, Blocking, Awaited) {
    auto const finished = Child::run({"echo out; echo err >&2; exit 3"});
    CHECK(finished.exit_code == 3);
    CHECK(!finished.signal);
    CHECK(!finished.timed_out);
    CHECK(finished.output == "out\n");
    CHECK(finished.errors == "err\n");
    auto const killed = Child::run({"kill -TERM $$"});
    CHECK(!killed.exit_code);
    CHECK(killed.signal == SIGTERM);
}

TEST_CASE_TEMPLATE("only the end of a long output is kept", Child, Blocking, Awaited) {
    auto const finished =
        Child::run({"i=0; while [ $i -lt 20000 ]; do echo $i; i=$((i+1)); done; echo short >&2", 60, 18});
    CHECK(finished.output == "19997\n19998\n19999\n");
    CHECK(finished.errors == "short\n");
}

TEST_CASE_TEMPLATE("a command has its folder, its environment and nothing to read", Child, Blocking,
                   Awaited) {
    TemporaryFolder const folder;
    auto const finished = Child::run({"pwd; env | grep -v -e ^PWD -e ^_ -e ^SHLVL -e ^OLDPWD; cat",
                                      60,
                                      65536,
                                      folder.path(),
                                      {{"PATH", "/usr/bin:/bin"}, {"A", "b = c"}}});
    CHECK(finished.output.starts_with(folder.path() + "\n"));
    CHECK(finished.output.find("A=b = c\n") != std::string::npos);
    CHECK(finished.output.size() == (folder.path() + "\nA=b = c\nPATH=/usr/bin:/bin\n").size());
}

TEST_CASE_TEMPLATE("a command inherits neither descriptors nor signals", Child, Blocking, Awaited) {
    FileDescriptor const inheritable(open("/dev/zero", O_RDONLY));
    auto const before = signal(SIGPIPE, SIG_IGN);
    auto const finished =
        Child::run({"ls -l /proc/self/fd; exec grep -e SigIgn -e SigBlk /proc/self/status"});
    signal(SIGPIPE, before);
    CHECK(finished.output.find("/dev/null") != std::string::npos);
    CHECK(finished.output.find("/dev/zero") == std::string::npos);
    CHECK(finished.output.find("SigBlk:\t0000000000000000") != std::string::npos);
    std::size_t const ignored = finished.output.find("SigIgn:\t");
    REQUIRE(ignored != std::string::npos);
    CHECK((std::stoull(finished.output.substr(ignored + 8), nullptr, 16) & (1 << (SIGPIPE - 1))) == 0);
}

TEST_CASE_TEMPLATE("at its deadline a command is killed with its group", Child, Blocking, Awaited) {
    auto const finished = Child::run({"trap '' TERM; sleep 1000 & echo $!; wait", 0.3});
    CHECK(finished.timed_out);
    CHECK(finished.signal == SIGKILL);
    CHECK(!finished.exit_code);
    wait_until_gone(std::stoi(finished.output));
}

TEST_CASE_TEMPLATE("output without a pause keeps no deadline away", Child, Blocking, Awaited) {
    auto const finished = Child::run({"yes", 0.3, 4});
    CHECK(finished.timed_out);
    CHECK(finished.output.size() == 4);
}

TEST_CASE_TEMPLATE("what the leader leaves behind is killed, and not waited for", Child, Blocking, Awaited) {
    auto const finished = Child::run({"sleep 1000 & echo $!"});
    CHECK(finished.exit_code == 0);
    wait_until_gone(std::stoi(finished.output));
}

TEST_CASE_TEMPLATE("a descendant that got away with the pipe is not waited for", Child, Blocking, Awaited) {
    TemporaryFolder const folder;
    auto const finished =
        Child::run({"mkfifo ready; setsid sh -c 'echo $$; echo > ready; exec sleep 1000' & read x < ready",
                    60, 65536, folder.path()});
    CHECK(finished.exit_code == 0);
    pid_t const escaped = std::stoi(finished.output);
    CHECK(runs(escaped));
    kill(escaped, SIGKILL);
}

TEST_CASE_TEMPLATE("a command that closes its output goes on", Child, Blocking, Awaited) {
    auto const finished = Child::run({"echo first; exec >&- 2>&-; sleep 0.1; exit 5"});
    CHECK(finished.exit_code == 5);
    CHECK(finished.output == "first\n");
}

TEST_CASE("what cannot be started is an error that leaves nothing open") {
    auto const lowest_free = [] { return FileDescriptor(dup(0)).get(); };
    int const before = lowest_free();
    CHECK_THROWS_WITH_AS(Child("/no/such/program", {"x"}, ENVIRONMENT, "/", 100),
                         "/no/such/program: No such file or directory", std::system_error);
    CHECK_THROWS_WITH_AS(Child("/bin/sh", {"sh"}, ENVIRONMENT, "/no/such/folder", 100),
                         "/bin/sh: No such file or directory", std::system_error);
    CHECK(lowest_free() == before);
}

TEST_CASE("a child that nobody waits for any more is killed and reaped") {
    TemporaryFolder const folder;
    std::stop_source stop;
    REQUIRE(mkfifo((folder / "started").c_str(), 0600) == 0);
    std::jthread const stopper([&] {
        text_of(folder / "started");
        stop.request_stop();
    });
    CHECK_THROWS_AS(
        Child("/bin/sh", {"sh", "-c", "echo > started; sleep 1000"}, ENVIRONMENT, folder.path(), 9)
            .finish(NEVER, stop.get_token()),
        Interrupted);
    CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
}

TEST_CASE("a program is sought on absolute folders of the search path alone") {
    TemporaryFolder const folder;
    write_text(folder / "tool", "#!/bin/sh\n");
    CHECK(!find_program("tool", folder.path()));
    REQUIRE(chmod((folder / "tool").c_str(), 0700) == 0);
    CHECK(find_program("tool", "/nowhere::" + folder.path() + ":/bin") == folder / "tool");
    CHECK(find_program("sh", ":/bin") == "/bin/sh");
    CHECK(find_program("/bin/sh", "") == "/bin/sh");
    CHECK(find_program("./tool", "") == "./tool");
    CHECK(!find_program("sh", ".:bin"));
    CHECK(!find_program("sh", ""));
    CHECK(!find_program("", "/bin"));
    CHECK(!find_program("/bin", ""));
}
