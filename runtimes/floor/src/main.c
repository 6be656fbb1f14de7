// `floor run.json`: one run, from its run file to its exit status; `floor tools FOLDER`: the tools, a call a
// line.

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fatal.h"
#include "run.h"
#include "tools_command.h"

/// Undoes what the parent may have left: signals ignored or blocked, descriptors open or missing.
static void start_afresh(void) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    // Where it is ignored there are no exit statuses.
    signal(SIGCHLD, SIG_DFL);
    // Nobody may read stderr.
    signal(SIGPIPE, SIG_IGN);
    // A file that may grow no further is refused like any other.
    signal(SIGXFSZ, SIG_IGN);
    syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
    int missing = 0;
    do
        missing = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (missing >= 0 && missing <= STDERR_FILENO);
    close(missing);
}

int main(int count, char **arguments) {
    start_afresh();
    if (count == 2)
        return perform(arguments[1]);
    if (count == 3 && strcmp(arguments[1], "tools") == 0)
        return serve_tools(arguments[2]);
    complain("name one run file, or `tools` and a folder");
    return 2;
}
