"""Become another program that is sent SIGTERM should the process that started it die (prctl(2),
PR_SET_PDEATHSIG).

Run as a script: `python -I -S die_with_parent.py PARENT_PID FD COUNT FILE… PROGRAM ARGUMENT…`. The setting
outlives execve(2), and execve makes a new address space, so the program's VmHWM does not contain this
interpreter's. FD is the writing end of a pipe: it carries a line with the moment of the execve, in ns of
CLOCK_MONOTONIC, and the reason if it failed, and closes when the program has taken over. The COUNT files get
the pid written to them first: as `cgroup.procs` of control groups they make the program a member before its
first page is charged (cgroups(7)).
"""

import ctypes
import os
import signal
import sys
import time

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Set the signal, then execute the program in place of this one."""
    parent, fd, count = map(int, sys.argv[1:4])
    join, argv = sys.argv[4 : 4 + count], sys.argv[4 + count :]
    os.set_inheritable(fd, False)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before the setting was made
        sys.exit(128 + signal.SIGTERM)
    doing = ""
    try:
        for file in join:
            doing = f"cannot join {file}: "
            with open(file, "w") as members:
                members.write(str(os.getpid()))
        doing = ""
        os.write(fd, b"%d\n" % time.monotonic_ns())
        os.execvp(argv[0], argv)
    except OSError as error:
        os.write(fd, (doing + (error.strerror or "unknown reason")).encode())
        sys.exit(127)


if __name__ == "__main__":
    main()
