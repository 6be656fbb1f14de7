#include "run.hpp"

#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "errors.hpp"
#include "log.hpp"
#include "process.hpp"
#include "stop.hpp"
#include "text.hpp"
#include "tools_command.hpp"
#include "transfer.hpp"

namespace agentloop {

namespace {

std::string api_key() {
    char const* const value = std::getenv("LLM_API_KEY");
    std::string const key = value ? value : "";
    if (std::ranges::any_of(key, [](char c) { return c < ' ' || c > '~'; }))
        throw InvalidInput(
            "LLM_API_KEY: holds characters that a header may not hold; set it to the key alone");
    return key;
}

/// Refuses what would fail in every attempt.
RunFile checked(RunFile file) {
    std::string const& program = file.verify.argv.front();
    if (!find_program(program, search_path(file.verify.env)))
        throw InvalidInput("verify.argv: \"" + program +
                           "\" cannot be run; name a program by its path or on the PATH of verify.env");
    return file;
}

/// An agent needs a socket, or two pipes and a pidfd, and the usual soft limit is 1,024.
void allow_many_open_files() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

void settle_signals() {
    // A parent may have left it ignored, and then there would be no exit statuses.
    signal(SIGCHLD, SIG_DFL);
    // What cannot be written is an error of its own, not the end of the process.
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

/// Does the work; returns the exit status and writes the last events, whatever happens.
int perform(Run& run, StopSignals& signals, Work const& work) {
    int status = 0;
    std::exception_ptr failure;
    run.events.emit(run_start_event(run.t_start));
    try {
        if (signals.take())
            throw Interrupted();
        work(run, signals);
    } catch (Interrupted const&) {
        status = 128 + signals.taken().value();
    } catch (...) {
        failure = std::current_exception();
    }
    while (auto const task = run.next_task())
        run.events.emit(task_event(task->task_id, Outcome::error, 0, Interrupted().what()));
    run.events.emit(run_end_event());
    if (failure)
        std::rethrow_exception(failure);
    return status;
}

}  // namespace

Run::Run(RunFile run_file)
    : file(checked(std::move(run_file))),
      prompts(Prompts::load(file.prompts_file)),
      // More agents than tasks would have nothing to do.
      agents(std::min(static_cast<std::size_t>(file.agents), check_tasks(file.tasks_file))),
      endpoint(file.base_url, api_key(), file.timeouts, file.transport),
      events(file.events),
      tasks_(file.tasks_file) {}

std::optional<Task> Run::next_task() {
    std::lock_guard const lock(one_at_a_time_);
    return tasks_.next();
}

Clock::time_point Run::start_of(Task const& task) const {
    Clock::time_point const start{std::chrono::nanoseconds(t_start)};
    std::chrono::nanoseconds const wait(task.start_after_ns);
    // The tasks file may hold more than the clock can count.
    return wait < NEVER - start ? start + wait : NEVER;
}

int run_program(int argument_count, char const* const* arguments, Work const& work) {
    settle_signals();
    try {
        if (argument_count == 3 && arguments[1] == std::string_view("tools"))
            return serve_tools(arguments[2], stdin, stdout);
        // From here on the run ends in order, so a signal waits until it can.
        StopSignals signals;
        allow_many_open_files();
        CurlLibrary const curl;
        std::optional<Run> run;
        try {
            if (argument_count != 2)
                throw InvalidInput(std::to_string(argument_count - 1) +
                                   " run files are given and one is needed; usage: " + arguments[0] +
                                   " run.json, or: " + arguments[0] + " tools FOLDER");
            run.emplace(load_run_file(arguments[1]));
        } catch (InvalidInput const& invalid) {
            log_line(invalid.what());
            return 2;
        }
        return perform(*run, signals, work);
    } catch (std::exception const& failure) {
        log_line(in_one_line(failure.what()));
        return 1;
    }
}

}  // namespace agentloop
