#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "receive.h"

static bool is_executable_file(char const *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

static struct slice search_path(char **environment) {
    for (; *environment != NULL; ++environment)
        if (strncmp(*environment, "PATH=", strlen("PATH=")) == 0)
            return slice_of(*environment + strlen("PATH="));
    return SLICE("");
}

static bool is_no_colon(char c) {
    return c != ':';
}

char *find_program(char const *name, char **environment) {
    struct buffer path = {0};
    if (strchr(name, '/') != NULL) {
        if (name[0] == '/' && !is_executable_file(name))
            return NULL;
        buffer_append(&path, slice_of(name));
        return path.bytes;
    }
    for (struct slice rest = search_path(environment); rest.size > 0 && *name != '\0';
         take(&rest, SLICE(":"))) {
        struct slice folder = rest;
        folder.size = take_while(&rest, is_no_colon);
        buffer_clear(&path);
        buffer_append(&path, folder);
        buffer_append_char(&path, '/');
        buffer_append(&path, slice_of(name));
        if (path.bytes[0] == '/' && is_executable_file(path.bytes))
            return path.bytes;
    }
    buffer_free(&path);
    return NULL;
}

/// Closes a descriptor and leaves errno as it is.
static void close_quietly(int descriptor) {
    int const error = errno;
    close(descriptor);
    errno = error;
}

/// The signals that children must not inherit as ignored. Naming all would be a system call for each of them.
static sigset_t const *ignored_signals(void) {
    static sigset_t ignored;
    static bool is_known;
    struct sigaction action;
    if (is_known)
        return &ignored;
    sigemptyset(&ignored);
    for (int signal = 1; signal < NSIG; ++signal)
        if (sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
            sigaddset(&ignored, signal);
    is_known = true;
    return &ignored;
}

/// Starts the process; returns the error, or 0. Nothing of this process is copied, so it takes no longer as
/// it grows.
static int spawn(pid_t *pid, struct command const *command, char const *folder, int output, int errors) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, ignored_signals());
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_init(&actions);
    int error = posix_spawn_file_actions_addchdir_np(&actions, folder);
    if (error == 0)
        error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
    if (error == 0)
        error =
            posix_spawn(pid, command->program, &actions, &attributes, command->argv, command->environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error;
}

static void end(pid_t pid) {
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

/// Starts the process with both pipes made.
static bool start(struct child *child, struct command const *command, char const *folder, int output,
                  int errors) {
    int const error = spawn(&child->pid, command, folder, output, errors);
    errno = error;
    if (error != 0)
        return false;
    child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
    if (child->pidfd >= 0)
        return true;
    int const refused = errno;
    end(child->pid);
    errno = refused;
    return false;
}

bool child_start(struct child *child, struct command const *command, char const *folder) {
    int output[2], errors[2];
    if (pipe2(output, O_CLOEXEC) != 0)
        return false;
    if (pipe2(errors, O_CLOEXEC) != 0) {
        close_quietly(output[0]);
        close_quietly(output[1]);
        return false;
    }
    *child = (struct child){.outputs = {{output[0], {.limit = command->output_limit}},
                                        {errors[0], {.limit = command->output_limit}}}};
    bool const started = start(child, command, folder, output[1], errors[1]);
    close_quietly(output[1]);
    close_quietly(errors[1]);
    for (int i = 0; i < 2; ++i) {
        if (started)
            fcntl(child->outputs[i].read_end, F_SETFL, O_NONBLOCK);
        else
            close_quietly(child->outputs[i].read_end);
    }
    return started;
}

/// Reads a piece; returns its size, 0 at the end, or -1.
static ssize_t read_piece(struct output *output) {
    ssize_t const size = read(output->read_end, receive_buffer, sizeof receive_buffer);
    if (size > 0)
        tail_append(&output->tail, (struct slice){receive_buffer, (size_t)size});
    return size;
}

bool child_read(struct output *output) {
    if (output->read_end < 0)
        return false;
    ssize_t const size = read_piece(output);
    if (size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR)))
        return true;
    close(output->read_end);
    output->read_end = -1;
    return false;
}

void child_kill(struct child const *child) {
    kill(-child->pid, SIGKILL);
    kill(child->pid, SIGKILL);
}

bool child_has_ended(struct child const *child) {
    siginfo_t status = {0};
    return waitid(P_PID, (id_t)child->pid, &status, WEXITED | WNOHANG | WNOWAIT) == 0 && status.si_pid != 0;
}

static void read_rest(struct output *output) {
    int held = 0;
    if (output->read_end < 0)
        return;
    ioctl(output->read_end, FIONREAD, &held);
    for (ssize_t size = 1; held > 0 && size > 0; held -= (int)size)
        size = read_piece(output);
    close(output->read_end);
    output->read_end = -1;
}

struct ending child_reap(struct child *child) {
    // Its number belongs to the group until the leader is reaped.
    child_kill(child);
    siginfo_t status = {0};
    while (waitid(P_PID, (id_t)child->pid, &status, WEXITED) != 0 && errno == EINTR) {
    }
    close(child->pidfd);
    read_rest(&child->outputs[0]);
    read_rest(&child->outputs[1]);
    return (struct ending){status.si_code == CLD_EXITED, status.si_status, child->timed_out};
}

void child_free(struct child *child) {
    tail_free(&child->outputs[0].tail);
    tail_free(&child->outputs[1].tail);
}
