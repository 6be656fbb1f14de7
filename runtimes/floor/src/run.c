#include "run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent.h"
#include "canonical.h"
#include "fatal.h"
#include "run_state.h"

enum { READY_AT_ONCE = 64, INVALID_INPUT_STATUS = 2, SIGNAL_STATUS = 128 };

static uint64_t const STOP_TAG = UINT64_MAX;

static struct run run;

// The verifier's slots.

static void give_slots(void) {
    while (run.free_slots > 0 && run.first_in_line != NULL) {
        struct agent *const agent = run.first_in_line;
        run.first_in_line = agent->next_in_line;
        --run.free_slots;
        agent->state = SPAWN;
        agent_advance(&run, agent);
    }
}

// The loop.

/// Milliseconds from now until then, rounded up, so that a deadline has passed when the wait is over.
static int milliseconds_until(moment then) {
    moment const left = then - now();
    if (left <= 0)
        return 0;
    return left >= (moment)INT32_MAX * 1000000 ? INT32_MAX : (int)((left + 999999) / 1000000);
}

/// Works until every task has its outcome, or a signal comes; returns the signal, or 0.
static int work(void) {
    struct epoll_event ready[READY_AT_ONCE];
    size_t begun = 0;
    while (run.agents_at_work > 0) {
        // One at a time, and what is ready in between: a request is sent before the next is made.
        if (begun < run.agent_count)
            agent_begin(&run, &run.agents[begun++]);
        int const wait_ms = begun < run.agent_count ? 0 : milliseconds_until(timers_next(&run.timers));
        int const count = epoll_wait(run.epoll, ready, READY_AT_ONCE, wait_ms);
        if (count < 0 && errno != EINTR)
            fatal("epoll: %s", strerror(errno));
        for (int i = 0; i < count; ++i) {
            struct signalfd_siginfo signal;
            if (ready[i].data.u64 != STOP_TAG) {
                agent_on_ready(&run, &run.agents[ready[i].data.u64 / SOURCES],
                               (enum source)(ready[i].data.u64 % SOURCES));
                give_slots();
            } else if (read(run.stop_signals, &signal, sizeof signal) == sizeof signal) {
                return (int)signal.ssi_signo;
            }
        }
        moment const time = now();
        for (struct timer *timer; (timer = timers_take_due(&run.timers, time)) != NULL;) {
            agent_on_time(&run, (struct agent *)(void *)timer);
            give_slots();
        }
    }
    return 0;
}

/// Ends the tasks that are under way and those that wait.
static void interrupt(void) {
    // First all that runs, so that none of it takes time from what follows.
    for (size_t i = 0; i < run.agent_count; ++i)
        if (run.agents[i].child != NULL)
            child_kill(run.agents[i].child);
    for (size_t i = 0; i < run.agent_count; ++i)
        agent_interrupt(&run, &run.agents[i]);
    struct buffer task_id = {0};
    for (struct task_place place; tasks_next(&run.tasks, &place);) {
        buffer_clear(&task_id);
        append_quoted(&task_id, buffer_slice(&tasks_load(&run.tasks, place)->task_id));
        emit_task(buffer_slice(&task_id), "error", 0, SLICE("interrupted"));
    }
    buffer_free(&task_id);
}

// The beginning and the end.

static void leave_nothing(void) {
    for (size_t i = 0; i < run.agent_count; ++i)
        agent_leave_nothing(&run, &run.agents[i]);
}

/// Blocks the signals that stop the run; they are then read from a descriptor.
static int block_stop_signals(void) {
    sigset_t stopping;
    sigemptyset(&stopping);
    sigaddset(&stopping, SIGINT);
    sigaddset(&stopping, SIGTERM);
    sigprocmask(SIG_BLOCK, &stopping, NULL);
    return signalfd(-1, &stopping, SFD_CLOEXEC | SFD_NONBLOCK);
}

/// An agent needs a socket, or two pipes and a pidfd besides, and the usual soft limit is 1,024.
static void allow_many_open_files(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void prepare_agents(size_t count) {
    run.agents = allocate(count, sizeof *run.agents);
    run.agent_count = run.agents_at_work = count;
    for (size_t i = 0; i < count; ++i)
        agent_make(&run.agents[i], i);
    timers_make(&run.timers, run.agents, count, sizeof *run.agents);
    run.free_slots = run.settings.slots;
}

/// Reads all that the run needs; false, with a line in `problem`, if something of it cannot be used.
static bool load(char const *run_file, struct buffer *problem) {
    if (!run_file_load(&run.settings, run_file, problem) ||
        !prompts_load(&run.prompts, run.settings.prompts_file, problem))
        return false;
    size_t const tasks = tasks_open(&run.tasks, run.settings.tasks_file, problem);
    if (tasks == 0)
        return false;
    char const *const key = getenv("LLM_API_KEY");
    if (!endpoint_set_key(&run.settings.endpoint, slice_of(key == NULL ? "" : key))) {
        buffer_format(problem,
                      "LLM_API_KEY: holds characters that a header may not; set it to the key alone");
        return false;
    }
    endpoint_look_up(&run.settings.endpoint);
    allow_many_open_files();
    // More agents than tasks would have nothing to do.
    prepare_agents(run.settings.agents < (int64_t)tasks ? (size_t)run.settings.agents : tasks);
    run.stop_signals = block_stop_signals();
    run.epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event wanted = {.events = EPOLLIN, .data.u64 = STOP_TAG};
    if (run.stop_signals < 0 || run.epoll < 0 ||
        epoll_ctl(run.epoll, EPOLL_CTL_ADD, run.stop_signals, &wanted) != 0)
        fatal("there are not enough descriptors (%s)", strerror(errno));
    if (events_create(run.settings.events))
        return true;
    buffer_format(problem, "%s: events %s cannot be created (%s); name a file that is not there", run_file,
                  run.settings.events, strerror(errno));
    return false;
}

static void free_all(void) {
    for (size_t i = 0; i < run.agent_count; ++i)
        agent_free(&run.agents[i]);
    free(run.agents);
    timers_free(&run.timers);
    prompts_free(&run.prompts);
    run_file_free(&run.settings);
}

int perform(char const *run_file) {
    struct buffer problem = {0};
    if (!load(run_file, &problem)) {
        complain("%s", problem.bytes);
        buffer_free(&problem);
        free_all();
        return INVALID_INPUT_STATUS;
    }
    before_fatal = leave_nothing;
    run.start = now();
    emit_run_start(run.start);
    int const signal = work();
    if (signal != 0)
        interrupt();
    emit_run_end();
    free_all();
    return signal == 0 ? 0 : SIGNAL_STATUS + signal;
}
