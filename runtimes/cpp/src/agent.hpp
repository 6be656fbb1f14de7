#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "async.hpp"
#include "chat.hpp"
#include "clock.hpp"
#include "deadline.hpp"
#include "events.hpp"
#include "extraction.hpp"
#include "feedback.hpp"
#include "messages.hpp"
#include "process.hpp"
#include "run_file.hpp"
#include "stop.hpp"
#include "tasks.hpp"
#include "text.hpp"
#include "tools.hpp"
#include "verdict.hpp"
#include "workspace.hpp"

namespace agentloop {

/// The agent: ask, extract, write, verify, retry.
///
/// `Client` makes completions and `Verification` runs the tests. In one runtime both are awaited, in the
/// other both block, and then `solve` has ended when it has begun.
template <typename Client, typename Verification>
class Agent {
  public:
    /// All must outlive the agent.
    Agent(RunFile const& run, Prompts const& prompts, Client& client, Verification& verifier,
          EventFile& events)
        : run_(run), prompts_(prompts), client_(client), verifier_(verifier), events_(events) {}

    /// Waits until `start`, and works on a task until its tests pass or its attempts are used up; whatever
    /// happens, its event is written. Throws `Interrupted` and `EventFileFailed`.
    Async<void> solve(Task const& task, Clock::time_point start) {
        try {
            co_await client_.pause(start, NEVER);
        } catch (Interrupted const& interrupted) {
            events_.emit(task_event(task.task_id, Outcome::error, 0, interrupted.what()));
            throw;
        }
        Conversation conversation(prompts_, task);
        Attempt attempt;
        attempt.task = task.task_id;
        attempt.t_begin = now_ns();
        Outcome outcome = Outcome::error;
        std::exception_ptr failure;
        try {
            co_await recorded(attempt, task, conversation);
            while (!is_final(attempt) && attempt.attempt <= run_.max_retries) {
                attempt = attempt.following();
                co_await recorded(attempt, task, conversation);
            }
            outcome = attempt.verdict == Verdict::passed  ? Outcome::passed
                      : attempt.verdict == Verdict::error ? Outcome::error
                                                          : Outcome::failed;
        } catch (...) {
            failure = std::current_exception();
        }
        events_.emit(task_event(task.task_id, outcome, attempt.attempt, attempt.reason));
        if (failure)
            std::rethrow_exception(failure);
    }

  private:
    static constexpr double REMOVAL_SLICE_S = 0.002;
    static constexpr double REMOVAL_PAUSE_S = 0.001;

    static bool is_final(Attempt const& attempt) {
        return attempt.verdict == Verdict::passed || attempt.verdict == Verdict::error;
    }

    Async<void> recorded(Attempt& attempt, Task const& task, Conversation& conversation) {
        std::exception_ptr interruption;
        try {
            co_await step(attempt, task, conversation);
        } catch (Interrupted const& interrupted) {
            attempt.verdict = Verdict::interrupted;
            attempt.reason = interrupted.what();
            interruption = std::current_exception();
        } catch (ChatFailed const& failure) {
            attempt.verdict = Verdict::error;
            attempt.reason = failure.what();
        } catch (std::system_error const& failure) {
            attempt.verdict = Verdict::error;
            attempt.reason = in_one_line(failure.what());
        }
        attempt.t_end = now_ns();
        events_.emit(attempt.event());
        if (interruption)
            std::rethrow_exception(interruption);
    }

    Async<void> step(Attempt& attempt, Task const& task, Conversation& conversation) {
        std::string reply = co_await client_.complete(conversation.body(run_.model, run_.request), attempt);
        std::optional<std::string> const code = extract(reply, task.entry_point);
        if (!code) {
            attempt.verdict = Verdict::no_code;
            conversation.no_code(std::move(reply));
            co_return;
        }
        Workspace workspace(run_.workspaces);
        ToolDispatcher const tools(workspace.path());
        tools.write_file("solution.py", *code);
        tools.write_file("test_solution.py", task.tests);
        Finished const finished = co_await verifier_.verify(workspace.path(), attempt);
        // A solution may leave a huge tree, and others have their turn meanwhile.
        while (!workspace.remove(after(REMOVAL_SLICE_S)))
            co_await client_.pause(after(REMOVAL_PAUSE_S), NEVER);
        attempt.verdict = judge(finished.exit_code, finished.timed_out, finished.output);
        if (attempt.verdict == Verdict::timed_out)
            conversation.timed_out(std::move(reply));
        else if (attempt.verdict != Verdict::passed)
            conversation.tests_failed(std::move(reply),
                                      normalise(finished.output, finished.errors, workspace.path()));
    }

    RunFile const& run_;
    Prompts const& prompts_;
    Client& client_;
    Verification& verifier_;
    EventFile& events_;
};

}  // namespace agentloop
