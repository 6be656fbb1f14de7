#ifndef AGENT_H
#define AGENT_H

#include "events.h"
#include "exchange.h"
#include "tasks.h"
#include "timers.h"

struct run;

/// Where an agent stands. It takes the steps one after the other until there is something to wait for.
enum agent_state {
    // Steps.
    TAKE_TASK,
    BEGIN_ATTEMPT,
    BEGIN_TRY,
    SEND_REQUEST,
    USE_REPLY,
    SPAWN,
    JUDGE,
    END_ATTEMPT,
    // What is waited for.
    START,
    CONNECTION,
    ANSWER,
    NEXT_TRY,
    SLOT,
    VERIFIER,
    NOTHING,  ///< It has not begun, or there are no more tasks.
};

struct agent {
    struct timer timer;  ///< First, so that a timer is its agent.
    enum agent_state state;
    struct task_place task;
    struct buffer task_id;  ///< Quoted.
    struct buffer turns;    ///< What was said after the first two messages, as JSON.
    struct exchange exchange;
    moment first_try, total;  ///< When the completion's first try began; when it must have finished.
    struct attempt attempt;
    struct buffer reason;
    struct child *child;      ///< NULL while none runs.
    unsigned long workspace;  ///< The number of the attempt's folder, or 0.
    struct agent *next_in_line;
};

/// What an event of the run's epoll is about: an agent's number, and this.
enum source { CONNECTION_READY, CHILD_ENDED, OUTPUT_READY, ERRORS_READY, SOURCES };

void agent_make(struct agent *agent, size_t number);
/// Takes its first task.
void agent_begin(struct run *run, struct agent *agent);
/// Takes all steps that can be taken now.
void agent_advance(struct run *run, struct agent *agent);
void agent_on_ready(struct run *run, struct agent *agent, enum source source);
/// Its deadline has passed.
void agent_on_time(struct run *run, struct agent *agent);
/// Kills its child and removes its folder; false, with errno set, where the folder stays.
bool agent_leave_nothing(struct run *run, struct agent *agent);
/// Ends the attempt and the task that are under way, if any, as interrupted.
void agent_interrupt(struct run *run, struct agent *agent);
void agent_free(struct agent *agent);

#endif
