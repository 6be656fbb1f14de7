#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "canonical.h"
#include "extraction.h"
#include "fatal.h"
#include "feedback.h"
#include "file.h"
#include "run_state.h"
#include "workspace.h"

/// How long the end of the stream is awaited after the finish reason.
#define STREAM_END_GRACE_S 1.0

static char const SOLUTION[] = "solution.py", TESTS[] = "test_solution.py";

// For all agents, because each is done with them before another's turn comes.
static struct buffer body, request, code, path;

static uint64_t tag_of(struct run const *run, struct agent const *agent, enum source source) {
    return (uint64_t)(agent - run->agents) * SOURCES + source;
}

static void wait_until(struct run *run, struct agent *agent, moment deadline) {
    timer_set(&run->timers, &agent->timer, deadline);
}

static moment earlier(moment a, moment b) {
    return a < b ? a : b;
}

static enum agent_state end_with(struct agent *agent, enum verdict verdict) {
    agent->attempt.verdict = verdict;
    return END_ATTEMPT;
}

/// Ends the attempt because the machine refuses something.
static enum agent_state end_with_errno(struct agent *agent, char const *what) {
    int const error = errno;
    buffer_clear(&agent->reason);
    buffer_format(&agent->reason, "%s: %s", what, strerror(error));
    return end_with(agent, ERROR);
}

// Ask.

static enum agent_state take_task(struct run *run, struct agent *agent) {
    if (!tasks_next(&run->tasks, &agent->task)) {
        agent_free(agent);
        --run->agents_at_work;
        return NOTHING;
    }
    struct task const *const task = tasks_load(&run->tasks, agent->task);
    buffer_clear(&agent->task_id);
    append_quoted(&agent->task_id, buffer_slice(&task->task_id));
    buffer_fit(&agent->task_id);
    agent->attempt = (struct attempt){.end = now()};
    moment const wait = task->start_after_ns;
    moment const start = wait < NEVER - run->start ? run->start + wait : NEVER;
    if (agent->attempt.end >= start)
        return BEGIN_ATTEMPT;
    wait_until(run, agent, start);
    return START;
}

static enum agent_state begin_attempt(struct run *run, struct agent *agent) {
    agent->attempt = (struct attempt){.number = agent->attempt.number + 1, .begin = agent->attempt.end};
    agent->first_try = agent->attempt.begin;
    agent->total = moment_after(now(), run->settings.total_s);
    return BEGIN_TRY;
}

static void make_body(struct run const *run, struct agent *agent) {
    buffer_clear(&body);
    append_body(&body, &run->settings.frame, &run->prompts, tasks_load(&run->tasks, agent->task),
                buffer_slice(&agent->turns));
    sha256(buffer_slice(&body), agent->attempt.request_digest);
    agent->attempt.has_request_digest = true;
}

/// When the next event must have come. An endpoint that is slow to read the request has time for that.
static moment event_deadline(struct exchange const *exchange, struct run_file const *settings) {
    return exchange->unsent.size > 0 ? NEVER : moment_after(exchange->latest, settings->event_idle_s);
}

/// What to wait for, or to do, as the try now stands.
static enum agent_state after_exchange(struct run *run, struct agent *agent) {
    struct exchange *const exchange = &agent->exchange;
    struct run_file const *const settings = &run->settings;
    switch (exchange->state) {
        case EXCHANGE_CONNECTED:
            return SEND_REQUEST;
        case EXCHANGE_UNDER_WAY:
            wait_until(run, agent, earlier(event_deadline(exchange, settings), agent->total));
            return ANSWER;
        case EXCHANGE_FINISHED:
            wait_until(run, agent, moment_after(exchange->last, STREAM_END_GRACE_S));
            return ANSWER;
        case EXCHANGE_COMPLETE:
            return USE_REPLY;
        case EXCHANGE_FAILED:
            break;
        default:
            return CONNECTION;
    }
    struct attempt *const attempt = &agent->attempt;
    attempt->first = exchange->first;
    if (exchange->is_final || attempt->transport_retries >= settings->transport.max_retries) {
        endpoint_append_presentable(&settings->endpoint, buffer_slice(&exchange->failure), &agent->reason);
        return end_with(agent, ERROR);
    }
    double const pause_s =
        fmax(backoff_s(&settings->transport, attempt->transport_retries), exchange->retry_after_s);
    exchange_end(exchange);
    wait_until(run, agent, earlier(moment_after(now(), pause_s), agent->total));
    return NEXT_TRY;
}

static enum agent_state begin_try(struct run *run, struct agent *agent) {
    struct attempt *const attempt = &agent->attempt;
    if (attempt->transport_retries == 0)
        agent->first_try = now();
    else
        attempt->transport = now() - agent->first_try;
    attempt->request = attempt->first = 0;
    wait_until(run, agent, earlier(moment_after(now(), run->settings.connect_s), agent->total));
    exchange_open(&agent->exchange, &run->settings.endpoint, run->epoll);
    return after_exchange(run, agent);
}

static enum agent_state send_request(struct run *run, struct agent *agent) {
    make_body(run, agent);
    buffer_clear(&request);
    endpoint_append_head(&run->settings.endpoint, body.size, &request);
    buffer_append(&request, buffer_slice(&body));
    agent->attempt.request = now();
    exchange_send(&agent->exchange, buffer_slice(&request), run->epoll);
    return after_exchange(run, agent);
}

static void give_up(struct run const *run, struct agent *agent) {
    buffer_format(&agent->reason, "no completion within %g s", run->settings.total_s);
    agent->attempt.first = agent->exchange.first;
    agent->state = end_with(agent, ERROR);
}

// Write, and run the tests.

/// The path of the attempt's folder.
static char const *workspace_path(struct run const *run, struct agent const *agent) {
    buffer_clear(&path);
    buffer_format(&path, "%s/attempt-%ld-%lu", run->settings.workspaces, (long)getpid(), agent->workspace);
    return path.bytes;
}

static bool write_files(struct run *run, struct agent *agent, struct slice tests) {
    agent->workspace = ++run->workspaces;
    if (mkdir(workspace_path(run, agent), S_IRWXU) != 0)
        return false;
    int const folder = open(path.bytes, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0)
        return false;
    bool const written =
        file_write_in(folder, SOLUTION, buffer_slice(&code)) && file_write_in(folder, TESTS, tests);
    int const error = errno;
    close(folder);
    errno = error;
    return written;
}

/// Removes the attempt's folder, or what is in its place.
static bool remove_files(char const *workspace) {
    int const folder = open(workspace, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder >= 0) {
        // Mostly there is nothing else in it, and then it need not be listed.
        unlinkat(folder, SOLUTION, 0);
        unlinkat(folder, TESTS, 0);
        close(folder);
        if (rmdir(workspace) == 0)
            return true;
    }
    return remove_tree(AT_FDCWD, workspace);
}

/// Puts the agent at the end of the line for a slot of the verifier.
static void line_up(struct run *run, struct agent *agent) {
    agent->next_in_line = NULL;
    if (run->first_in_line == NULL)
        run->first_in_line = agent;
    else
        run->last_in_line->next_in_line = agent;
    run->last_in_line = agent;
}

static enum agent_state use_reply(struct run *run, struct agent *agent) {
    struct attempt *const attempt = &agent->attempt;
    struct exchange *const exchange = &agent->exchange;
    struct slice const reply = buffer_slice(&exchange->completion.text);
    wait_until(run, agent, NEVER);
    attempt->first = exchange->first;
    attempt->last = exchange->last;
    sha256(reply, attempt->completion_digest);
    attempt->has_completion_digest = true;
    event_stream_free(&exchange->events);
    struct task const *const task = tasks_load(&run->tasks, agent->task);
    if (!extract(reply, buffer_slice(&task->entry_point), &code)) {
        append_turn(&agent->turns, reply, buffer_slice(&run->prompts.no_code), NULL);
        return end_with(agent, NO_CODE);
    }
    if (!write_files(run, agent, buffer_slice(&task->tests)))
        return end_with_errno(agent, "the solution cannot be written");
    attempt->queue = now();
    line_up(run, agent);
    return SLOT;
}

static bool watch(struct run const *run, struct agent const *agent, int descriptor, enum source source) {
    struct epoll_event wanted = {.events = EPOLLIN, .data.u64 = tag_of(run, agent, source)};
    return epoll_ctl(run->epoll, EPOLL_CTL_ADD, descriptor, &wanted) == 0;
}

static enum agent_state spawn(struct run *run, struct agent *agent) {
    struct child *const child = allocate(1, sizeof *child);
    agent->attempt.spawn = now();
    if (!child_start(child, &run->settings.verify, workspace_path(run, agent))) {
        enum agent_state const state = end_with_errno(agent, "the verifier cannot be started");
        free(child);
        ++run->free_slots;
        return state;
    }
    agent->attempt.started = now();
    agent->child = child;
    if (!watch(run, agent, child->pidfd, CHILD_ENDED) ||
        !watch(run, agent, child->outputs[0].read_end, OUTPUT_READY) ||
        !watch(run, agent, child->outputs[1].read_end, ERRORS_READY)) {
        ++run->free_slots;
        return end_with_errno(agent, "the verifier cannot be watched");
    }
    wait_until(run, agent, moment_after(agent->attempt.started, run->settings.verify_timeout_s));
    return VERIFIER;
}

/// Goes on after tests that did not pass.
static void append_feedback(struct run const *run, struct agent *agent, struct slice output,
                            struct slice errors) {
    struct prompts const *const prompts = &run->prompts;
    struct slice const reply = buffer_slice(&agent->exchange.completion.text);
    if (agent->attempt.verdict == TIMED_OUT) {
        append_turn(&agent->turns, reply, buffer_slice(&prompts->timed_out), NULL);
        return;
    }
    struct buffer feedback = {0};
    workspace_path(run, agent);
    normalise(output, errors, buffer_slice(&path), &feedback);
    struct slice const shown = buffer_slice(&feedback);
    append_turn(&agent->turns, reply, buffer_slice(&prompts->tests_failed), &shown);
    buffer_free(&feedback);
}

static enum agent_state judge_attempt(struct run *run, struct agent *agent) {
    struct attempt *const attempt = &agent->attempt;
    struct child *const child = agent->child;
    wait_until(run, agent, NEVER);
    agent->child = NULL;
    attempt->ending = child_reap(child);
    attempt->has_ending = true;
    attempt->exit = now();
    ++run->free_slots;
    struct slice const output = tail_slice(&child->outputs[0].tail);
    attempt->verdict = judge(attempt->ending, output);
    if (attempt->verdict != PASSED)
        append_feedback(run, agent, output, tail_slice(&child->outputs[1].tail));
    child_free(child);
    free(child);
    return END_ATTEMPT;
}

// And again.

bool agent_leave_nothing(struct run *run, struct agent *agent) {
    if (agent->child != NULL) {
        child_reap(agent->child);
        child_free(agent->child);
        free(agent->child);
        agent->child = NULL;
    }
    if (agent->workspace == 0)
        return true;
    workspace_path(run, agent);
    agent->workspace = 0;
    return remove_files(path.bytes);
}

static void record_attempt(struct run *run, struct agent *agent) {
    if (!agent->attempt.has_request_digest)
        make_body(run, agent);
    agent->attempt.end = now();
    emit_attempt(&agent->attempt, buffer_slice(&agent->task_id),
                 buffer_slice(&agent->exchange.completion.usage), buffer_slice(&agent->reason));
}

static void record_task(struct agent *agent, char const *outcome) {
    emit_task(buffer_slice(&agent->task_id), outcome, agent->attempt.number, buffer_slice(&agent->reason));
}

static enum agent_state end_attempt(struct run *run, struct agent *agent) {
    wait_until(run, agent, NEVER);
    if (!agent_leave_nothing(run, agent) && agent->attempt.verdict != ERROR)
        end_with_errno(agent, "the workspace cannot be removed");
    enum verdict const verdict = agent->attempt.verdict;
    record_attempt(run, agent);
    exchange_end(&agent->exchange);
    if (verdict != PASSED && verdict != ERROR && agent->attempt.number <= run->settings.max_retries)
        return BEGIN_ATTEMPT;
    record_task(agent, verdict == PASSED ? "passed" : verdict == ERROR ? "error" : "failed");
    buffer_free(&agent->turns);
    buffer_free(&agent->reason);
    return TAKE_TASK;
}

void agent_interrupt(struct run *run, struct agent *agent) {
    if (agent->state == NOTHING)
        return;
    agent_leave_nothing(run, agent);
    agent->attempt.verdict = INTERRUPTED;
    agent->attempt.first = agent->exchange.first;
    agent->attempt.last = agent->exchange.last;
    buffer_clear(&agent->reason);
    buffer_append(&agent->reason, SLICE("interrupted"));
    if (agent->state != START)
        record_attempt(run, agent);
    record_task(agent, "error");
    agent_free(agent);
    agent->state = NOTHING;
}

// What happens to it.

void agent_advance(struct run *run, struct agent *agent) {
    static enum agent_state (*const STEPS[])(struct run *, struct agent *) = {
        [TAKE_TASK] = take_task,       [BEGIN_ATTEMPT] = begin_attempt, [BEGIN_TRY] = begin_try,
        [SEND_REQUEST] = send_request, [USE_REPLY] = use_reply,         [SPAWN] = spawn,
        [JUDGE] = judge_attempt,       [END_ATTEMPT] = end_attempt,
    };
    while (agent->state < sizeof STEPS / sizeof *STEPS)
        agent->state = STEPS[agent->state](run, agent);
}

void agent_begin(struct run *run, struct agent *agent) {
    agent->state = TAKE_TASK;
    agent_advance(run, agent);
}

void agent_on_ready(struct run *run, struct agent *agent, enum source source) {
    switch (source) {
        case CONNECTION_READY:
            exchange_on_ready(&agent->exchange, run->epoll);
            if (agent->state == CONNECTION || agent->state == ANSWER)
                agent->state = after_exchange(run, agent);
            break;
        case CHILD_ENDED:
            if (agent->state == VERIFIER && child_has_ended(agent->child))
                agent->state = JUDGE;
            break;
        case OUTPUT_READY:
        case ERRORS_READY:
            if (agent->state == VERIFIER)
                child_read(&agent->child->outputs[source - OUTPUT_READY]);
            break;
        default:
            break;
    }
    agent_advance(run, agent);
}

void agent_on_time(struct run *run, struct agent *agent) {
    struct exchange *const exchange = &agent->exchange;
    if (agent->state == VERIFIER) {
        // Its end is reported by its pidfd, like any other.
        agent->child->timed_out = true;
        child_kill(agent->child);
        return;
    }
    bool const is_finished = agent->state == ANSWER && exchange->state == EXCHANGE_FINISHED;
    if (agent->state == START) {
        agent->attempt.end = now();
        agent->state = BEGIN_ATTEMPT;
    } else if (!is_finished && now() >= agent->total) {
        give_up(run, agent);
    } else if (agent->state == NEXT_TRY) {
        ++agent->attempt.transport_retries;
        agent->state = BEGIN_TRY;
    } else {
        if (agent->state == CONNECTION)
            exchange_expire(exchange, "connection", run->settings.connect_s);
        else
            exchange_expire(exchange, "event", run->settings.event_idle_s);
        agent->state = after_exchange(run, agent);
    }
    agent_advance(run, agent);
}

void agent_make(struct agent *agent, size_t number) {
    agent->state = NOTHING;
    exchange_make(&agent->exchange, (uint64_t)number * SOURCES + CONNECTION_READY);
}

void agent_free(struct agent *agent) {
    exchange_end(&agent->exchange);
    exchange_close(&agent->exchange);
    buffer_free(&agent->task_id);
    buffer_free(&agent->turns);
    buffer_free(&agent->reason);
}
