// Children: what they are given, and that none outlives its attempt.

#include "child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "check.h"

static char *ENVIRONMENT[] = {"PATH=/usr/bin:/bin", "GREETING=hello", NULL};

/// Runs a command line of the shell to its end; the outputs stay in `child`.
static struct ending run_shell(struct child *child, char *line, size_t output_limit) {
    char *argv[] = {"sh", "-c", line, NULL};
    char *const program = find_program("sh", ENVIRONMENT);
    struct command const command = {program, argv, ENVIRONMENT, output_limit};
    name_case("child", slice_of(line));
    CHECK(child_start(child, &command, "/"));
    struct pollfd watched[3] = {{child->pidfd, POLLIN, 0},
                                {child->outputs[0].read_end, POLLIN, 0},
                                {child->outputs[1].read_end, POLLIN, 0}};
    while (!child_has_ended(child)) {
        poll(watched, 3, -1);
        for (int i = 0; i < 2; ++i) {
            child_read(&child->outputs[i]);
            watched[i + 1].fd = child->outputs[i].read_end;
        }
    }
    struct ending const ending = child_reap(child);
    free(program);
    return ending;
}

static void check_output(char *line, size_t limit, int status, char const *output, char const *errors) {
    struct child child;
    struct ending const ending = run_shell(&child, line, limit);
    CHECK(ending.exited && ending.status == status);
    CHECK_TEXT(tail_slice(&child.outputs[0].tail), slice_of(output));
    CHECK_TEXT(tail_slice(&child.outputs[1].tail), slice_of(errors));
    child_free(&child);
}

static void test_group_is_killed(void) {
    struct child child;
    int status = 0;
    // Whoever loses its parent becomes ours.
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    run_shell(&child, "sleep 60 & echo $!", 100);
    pid_t const left_behind = (pid_t)strtol(tail_slice(&child.outputs[0].tail).bytes, NULL, 10);
    CHECK(waitpid(left_behind, &status, 0) == left_behind);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    child_free(&child);
}

static void test_programs(void) {
    char *const found = find_program("sh", ENVIRONMENT);
    name_case("find_program", SLICE("all kinds"));
    CHECK(found != NULL && found[0] == '/');
    free(found);
    char *const relative = find_program("./here", ENVIRONMENT);
    CHECK_TEXT(slice_of(relative), SLICE("./here"));
    free(relative);
    CHECK(find_program("no-such-program", ENVIRONMENT) == NULL);
    CHECK(find_program("/etc", ENVIRONMENT) == NULL);
    CHECK(find_program("", ENVIRONMENT) == NULL);
    char *none[] = {NULL};
    CHECK(find_program("sh", none) == NULL);
}

void test_child(void) {
    check_output("echo $GREETING; echo error >&2; exit 3", 100, 3, "hello\n", "error\n");
    check_output("printf 0123456789; pwd >&2", 4, 0, "6789", "/\n");
    check_output("yes | head -c 1000000 | tail -c 2; cat", 2, 0, "y\n", "");
    check_output("ls /proc/self/fd | wc -l", 100, 0, "4\n", "");
    struct child child;
    struct ending const ending = run_shell(&child, "kill -TERM $$", 100);
    CHECK(!ending.exited && ending.status == SIGTERM);
    child_free(&child);
    test_group_is_killed();
    test_programs();
    char *argv[] = {"x", NULL};
    struct command const command = {"/no/such/program", argv, ENVIRONMENT, 1};
    name_case("child", SLICE("a program that is not there"));
    CHECK(!child_start(&child, &command, "/") && errno == ENOENT);
}
