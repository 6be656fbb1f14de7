#ifndef RUN_STATE_H
#define RUN_STATE_H

#include "messages.h"
#include "moment.h"
#include "run_file.h"
#include "tasks.h"
#include "timers.h"

struct agent;

/// One run: what all its agents share.
struct run {
    struct run_file settings;
    struct prompts prompts;
    struct tasks tasks;
    moment start;
    struct agent *agents;
    size_t agent_count;
    size_t agents_at_work;
    struct timers timers;
    int epoll;
    int stop_signals;          ///< A signalfd.
    unsigned long workspaces;  ///< How many were made.
    int64_t free_slots;
    struct agent *first_in_line, *last_in_line;  ///< For a slot.
};

#endif
