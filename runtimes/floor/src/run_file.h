#ifndef RUN_FILE_H
#define RUN_FILE_H

#include "buffer.h"
#include "child.h"
#include "endpoint.h"
#include "messages.h"
#include "transport.h"

/// Everything that a run is told: CONTRACT.md, "The run file".
struct run_file {
    char *tasks_file;
    char *prompts_file;
    struct endpoint endpoint;
    struct body_frame frame;
    int64_t agents;
    int64_t max_retries;
    struct command verify;
    double verify_timeout_s;
    int64_t slots;
    double connect_s;
    double event_idle_s;
    double total_s;
    struct transport transport;
    char *workspaces;  ///< Absolute and free of symbolic links, because verifiers print it.
    char *events;
};

/// Reads and checks a run file; false, with a line in `problem`, if it cannot be used.
bool run_file_load(struct run_file *run_file, char const *path, struct buffer *problem);
void run_file_free(struct run_file *run_file);

#endif
