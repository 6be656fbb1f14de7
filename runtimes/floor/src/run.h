#ifndef RUN_H
#define RUN_H

#include "agent.h"
#include "run_file.h"

/// How long what follows the finish reason is waited for.
#define LINGER_S 1.0

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

/// Does the run that a run file describes and returns the exit status; what goes wrong is one line on stderr.
int perform(char const *run_file);
/// Puts an agent at the end of the line for a slot of the verifier.
void run_line_up(struct run *run, struct agent *agent);

#endif
