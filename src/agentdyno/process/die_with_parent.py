"""Execute a program that gets SIGTERM when its parent dies (prctl(2), PR_SET_PDEATHSIG), and that cannot
raise its own priority (capabilities(7), CAP_SYS_NICE).

Run as a script: `python -I -S die_with_parent.py PARENT_PID FD COUNT FILE… PROGRAM ARGUMENT…`. The setting
survives execve(2), and execve makes a new address space, so the program's VmHWM excludes this
interpreter's. FD is the writing end of a pipe: the script writes a line with the moment of the execve, in
ns of CLOCK_MONOTONIC, then the reason if the execve failed; the execve closes FD. First the script writes
the pid to the COUNT files: `cgroup.procs` of control groups make the program a member before the kernel
charges its first page (cgroups(7)).
"""

import ctypes
import os
import signal
import sys
import time

PR_SET_PDEATHSIG = 1
PR_CAPBSET_DROP = 24
CAP_SYS_NICE = 23


PRCTL = ctypes.CDLL(None).prctl


def prepare(parent: int, fd: int) -> None:
    """Set both, for this process, a child of `parent`, and for what it executes; write the moment to `fd`."""
    PRCTL(PR_SET_PDEATHSIG, signal.SIGTERM)
    # So that not even root can raise its priority; for other users it fails, as they cannot anyway.
    PRCTL(PR_CAPBSET_DROP, CAP_SYS_NICE)
    if os.getppid() != parent:  # the parent died before prctl took effect
        os._exit(128 + signal.SIGTERM)
    os.write(fd, b"%d\n" % time.monotonic_ns())


def main() -> None:
    """Join the control groups, and execute the program in place of this one."""
    parent, fd, count = map(int, sys.argv[1:4])
    join, argv = sys.argv[4 : 4 + count], sys.argv[4 + count :]
    os.set_inheritable(fd, False)
    doing = ""
    try:
        for file in join:
            doing = f"cannot join {file}: "
            with open(file, "w") as members:
                members.write(str(os.getpid()))
        doing = ""
        prepare(parent, fd)
        os.execvp(argv[0], argv)
    except OSError as error:
        os.write(fd, (doing + (error.strerror or "unknown reason")).encode())
        sys.exit(127)


if __name__ == "__main__":
    main()
