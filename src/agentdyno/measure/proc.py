"""What the kernel reports about processes in /proc (proc(5), Documentation/filesystems/proc.rst)."""

import contextlib
import os
import time
from collections.abc import Container, Iterator
from dataclasses import dataclass

CLOCK_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_CPUCLOCK_SCHED = 2  # include/linux/posix-timers_types.h; glibc and musl compute the clock's id the same way


@dataclass(frozen=True, slots=True)
class Process:
    """One process as `/proc/PID/stat` shows it; times are processor time in seconds, to the clock tick.

    `arguments_at` is the address of the process's arguments, 0 where this process may not read it. A new
    child has its parent's address until the child executes a program, which gets a new random address.
    """

    pid: int
    name: str
    state: str
    parent: int
    group: int
    session: int
    own_cpu_s: float
    reaped_children_cpu_s: float
    threads: int
    arguments_at: int

    @property
    def is_zombie(self) -> bool:
        """Whether the process has ended but is not reaped: only its processor times are still readable."""
        return self.state == "Z"


def read(pid: int) -> Process | None:
    """The process with this pid, or None when there is none, or none that this user may see: where /proc is
    mounted with `hidepid` (proc(5)), those of others, which are never children of this process.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return _process(pid, file.read())
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None


def _process(pid: int, stat: bytes) -> Process:
    # The command name in parentheses may itself contain spaces and parentheses.
    end = stat.rindex(b")")
    fields = stat[end + 2 :].split()
    return Process(
        pid=pid,
        name=stat[stat.index(b"(") + 1 : end].decode(errors="replace"),
        state=fields[0].decode(),
        parent=int(fields[1]),
        group=int(fields[2]),
        session=int(fields[3]),
        own_cpu_s=(int(fields[11]) + int(fields[12])) / CLOCK_TICKS_PER_S,
        reaped_children_cpu_s=(int(fields[13]) + int(fields[14])) / CLOCK_TICKS_PER_S,
        threads=int(fields[17]),
        arguments_at=int(fields[45]),
    )


def cpu_s(pid: int) -> float | None:
    """Processor time in seconds of all threads of a process, ended threads included; None when it is gone.

    The source is the process's own clock (clock_getcpuclockid(3)). It counts nanoseconds, takes a third of a
    microsecond to read, and stays readable until the process is reaped. `/proc/PID/stat` rounds user and
    system time down to a clock tick each; `/proc/PID/schedstat` covers only the leading thread, and loses the
    time of ended threads.
    """
    try:
        return time.clock_gettime(~pid << 3 | _CPUCLOCK_SCHED)
    except OSError:
        return None


@dataclass(frozen=True, slots=True)
class Memory:
    """A process's resident set in KiB: its peak (VmHWM) and its present size (VmRSS).

    VmHWM belongs to the address space, which execve(2) replaces. `ru_maxrss` is not usable: it belongs to the
    process and includes the peak from before the execve, which is the parent's (getrusage(2)).
    """

    peak_kib: int
    present_kib: int


PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024


def counter_error_kib(processors: int) -> int:
    """How much memory the kernel's counter of one process may miss: since Linux 6.2 each processor keeps up
    to max(32, 2n) pages to itself, with n processors (lib/percpu_counter.c).
    """
    return processors * max(32, 2 * processors) * PAGE_KIB


class Watched:
    """A process that is polled often. Its files stay open, which halves the cost of a poll."""

    def __init__(self, pid: int) -> None:
        """Raises FileNotFoundError when no process has this pid."""
        self._pid = pid
        self._stat = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
        self._status = os.open(f"/proc/{pid}/status", os.O_RDONLY)

    def look(self) -> tuple[Process, Memory] | None:
        """The process and its memory now; None when the process has ended and so has no memory."""
        try:
            process = _process(self._pid, os.pread(self._stat, 4096, 0))
            status = os.pread(self._status, 8192, 0)
        except ProcessLookupError:
            return None
        peak = status.find(b"VmHWM:")
        present = status.find(b"VmRSS:", peak)
        if peak < 0 or present < 0:
            return None
        memory = Memory(
            int(status[peak + 6 :].split(None, 1)[0]), int(status[present + 6 :].split(None, 1)[0])
        )
        return process, memory

    def close(self) -> None:
        """Close its files."""
        os.close(self._stat)
        os.close(self._status)


def every(but: Container[int] = ()) -> Iterator[Process]:
    """Every visible process, except those whose pid is in `but`."""
    for name in os.listdir("/proc"):
        if name.isdigit() and (pid := int(name)) not in but and (process := read(pid)) is not None:
            yield process


def children(pid: int) -> list[Process]:
    """The processes whose parent is `pid`, zombies included."""
    if pid == os.getpid() and not _has_children():
        return []
    return [process for process in every() if process.parent == pid]


def _has_children() -> bool:
    """Whether this process has children at all, zombies and adopted ones included; nobody is reaped."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def listed_children(pid: int) -> list[int]:
    """The pids that the kernel lists as children of `pid`; empty when there is no such process.

    The list may leave out a child while another one ends, so it is for looks that are repeated (proc(5),
    /proc/PID/task/TID/children). Without the list (CONFIG_PROC_CHILDREN) it looks at every process.
    """
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            try:
                with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                    found += map(int, file.read().split())
            except FileNotFoundError:
                if not os.path.exists("/proc/thread-self/children"):
                    return [process.pid for process in children(pid)]
    return found


def pss_kib(pid: int) -> int:
    """Proportional set size in KiB: a page that n processes share counts 1/n; 0 when the process is gone.

    Source: `/proc/PID/smaps_rollup`. The kernel walks the page tables for this file, so reading it is too
    expensive for every sample.
    """
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            rollup = file.read()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0
    at = rollup.find(b"\nPss:")
    return int(rollup[at + 5 :].split(None, 1)[0]) if at >= 0 else 0
