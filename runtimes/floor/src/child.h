#ifndef CHILD_H
#define CHILD_H

#include <sys/types.h>

#include "tail.h"

// Children in groups of their own, that are always killed and reaped: CONTRACT.md, "Verification".

/// A command: what runs, with which arguments and environment, and how much of each output is kept.
struct command {
    char *program;
    char **argv;
    char **environment;
    size_t output_limit;
};

/// How a child ended: by an exit code, or by the signal `status`.
struct ending {
    bool exited;
    int status;
    bool timed_out;
};

/// One of a child's two outputs.
struct output {
    int read_end;  ///< -1 when it is closed.
    struct tail tail;
};

struct child {
    pid_t pid;
    int pidfd;                 ///< Readable when the child has ended.
    struct output outputs[2];  ///< stdout and stderr.
    bool timed_out;
};

/// The path of a program, sought in the folders of PATH if its name has no slash, of the caller's own; or
/// NULL. A relative path is returned as it is: whether it leads anywhere depends on the folder it is started
/// in.
char *find_program(char const *name, char **environment);

/// Starts a command in a folder; false, with errno set and nothing left, where the system refuses.
bool child_start(struct child *child, struct command const *command, char const *folder);
/// Reads what an output holds, a piece at most; false, and the output is closed, if there will be no more.
bool child_read(struct output *output);
/// Kills the group, and the leader if it has left it.
void child_kill(struct child const *child);
bool child_has_ended(struct child const *child);
/// Kills the group, waits for the leader, and reads what the pipes hold and no more: a descendant that got
/// away may write for ever.
struct ending child_reap(struct child *child);
void child_free(struct child *child);

#endif
