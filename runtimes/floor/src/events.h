#ifndef EVENTS_H
#define EVENTS_H

#include "buffer.h"
#include "child.h"
#include "moment.h"
#include "sha256.h"
#include "verdict.h"

// The event file: CONTRACT.md, "Events". Each line is one system call, so that a reader never waits for one.
// A line that cannot be written is fatal, because nothing that the run does from there on can be believed.

/// The record of one attempt; moments are 0 while the phase has not happened.
struct attempt {
    int64_t number;
    moment begin, request, first, last, queue, spawn, started, exit, end;
    int64_t transport_retries;
    moment transport;
    bool has_request_digest;
    bool has_completion_digest;
    bool has_ending;
    unsigned char request_digest[SHA256_BYTES];
    unsigned char completion_digest[SHA256_BYTES];
    struct ending ending;
    enum verdict verdict;
};

/// Creates the file; false, with errno set, also when it is there already: two runs never share one.
bool events_create(char const *path);
void emit_run_start(moment start);
/// `task` is the task_id, quoted; `usage` may be empty; `reason` is empty unless the verdict needs one.
void emit_attempt(struct attempt const *attempt, struct slice task, struct slice usage, struct slice reason);
void emit_task(struct slice task, char const *outcome, int64_t attempts, struct slice reason);
void emit_run_end(void);

#endif
