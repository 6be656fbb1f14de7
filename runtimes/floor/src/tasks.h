#ifndef TASKS_H
#define TASKS_H

#include "buffer.h"

/// The tasks file: JSON lines. Only places in it are kept, so that tasks that wait, or are at work, take no
/// memory.
struct tasks {
    char const *path;
    int file;
    int64_t next;  ///< Where the next line begins.
};

/// Where a task stands in the file.
struct task_place {
    int64_t begin;
    size_t size;
};

struct task {
    struct buffer task_id;
    struct buffer prompt;
    struct buffer tests;
    struct buffer entry_point;  ///< The name that a solution must define.
    int64_t start_after_ns;     ///< From the run's start.
};

/// Opens the file and checks every task; returns how many there are, or 0 with a line in `problem`.
size_t tasks_open(struct tasks *tasks, char const *path, struct buffer *problem);
/// Goes to the next task; false at the end of the file.
bool tasks_next(struct tasks *tasks, struct task_place *place);
/// Reads a task; fatal if the file has changed meanwhile. One task at a time is there.
struct task const *tasks_load(struct tasks const *tasks, struct task_place place);

#endif
