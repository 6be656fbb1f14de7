"""What the kernel says of processes, read from /proc (proc(5), Documentation/filesystems/proc.rst)."""

import ctypes
import os
import platform
import time
from collections.abc import Container, Iterator
from dataclasses import dataclass

CLOCK_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_CPUCLOCK_SCHED = 2  # include/linux/posix-timers_types.h; how glibc and musl build the clock's number


@dataclass(frozen=True, slots=True)
class Process:
    """One process as `/proc/PID/stat` shows it; times are processor time in seconds, to the clock tick.

    `arguments_at` is the address of its arguments. A child that was just made has its parent's until it
    executes a program, which puts them at an address drawn anew; 0 where it may not be read.
    """

    pid: int
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
        """Whether it has ended and waits to be reaped. Its processor times can still be read, its memory
        cannot.
        """
        return self.state == "Z"


def read(pid: int) -> Process | None:
    """The process, or None when there is none with this pid."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return _process(pid, file.read())
    except (FileNotFoundError, ProcessLookupError):
        return None


def _process(pid: int, stat: bytes) -> Process:
    # The command name is in parentheses and may itself hold spaces and parentheses.
    fields = stat[stat.rindex(b")") + 2 :].split()
    return Process(
        pid=pid,
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
    """Processor time in seconds of all threads of a process, ended ones included; None when it is gone.

    The process's own clock (clock_getcpuclockid(3)): to the nanosecond, a third of a microsecond to read,
    and still there when the process has ended and is not reaped. `/proc/PID/stat` rounds user and system time
    down to a clock tick each; `/proc/PID/schedstat` is the leading thread's alone, and an ended thread's is
    lost.
    """
    try:
        return time.clock_gettime(~pid << 3 | _CPUCLOCK_SCHED)
    except OSError:
        return None


@dataclass(frozen=True, slots=True)
class Memory:
    """A process's resident set in KiB: its peak (VmHWM) and what it is now (VmRSS).

    VmHWM belongs to the address space, which execve(2) replaces. `ru_maxrss` does not serve: it belongs to
    the process and keeps the peak from before the execve, which is the parent's (getrusage(2)).
    """

    peak_kib: int
    present_kib: int


class Watched:
    """A process that is looked at often: its files are opened once, which halves the cost of a look."""

    def __init__(self, pid: int) -> None:
        """Raises FileNotFoundError when there is no such process."""
        self._pid = pid
        self._stat = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
        self._status = os.open(f"/proc/{pid}/status", os.O_RDONLY)

    def look(self) -> tuple[Process, Memory] | None:
        """The process and its memory as they are now, None when it has none any more because it has ended."""
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
    """Every process that can be seen, except those whose pid is in `but`."""
    for name in os.listdir("/proc"):
        if name.isdigit() and (pid := int(name)) not in but and (process := read(pid)) is not None:
            yield process


def children(pid: int) -> list[Process]:
    """The processes whose parent is `pid`, zombies included."""
    return [process for process in every() if process.parent == pid]


class Tree:
    """The leader of a session, its descendants, and whatever else is in that session.

    A child that is just being made is left out. Until it executes its program it may be in the very memory of
    its parent (vfork(2)); counted in, it would double the parent, and a peak keeps what was seen once. Where
    the kernel tells of shared memory that goes for as long as it lasts, which on a busy machine can be
    several looks. Otherwise, and for fork(2), it is left out at the first look at which it has the leader's
    group, or the arguments of a process in that group.

    What was once found to be outside is not looked at again: there are ten times as many such processes, and
    a process does not move into a tree. (A pid that is used again could be missed; pids go round in thousands
    of runs.)
    """

    def __init__(self, root: int) -> None:
        self._root = root
        self._outside: set[int] = set()
        self._like_leader: set[int] = {root}

    def processes(self) -> list[Process]:
        """The members as they are now."""
        members = self._members()
        in_group = {process.pid for process in members if process.group == self._root}
        arguments = {process.arguments_at for process in members if process.pid in in_group} - {0}
        like_leader = in_group | {process.pid for process in members if process.arguments_at in arguments}
        being_made = like_leader - self._like_leader
        self._like_leader = like_leader
        return [
            process
            for process in members
            if process.pid not in being_made
            and not (process.pid in like_leader and is_shared(process.pid, process.parent))
        ]

    def _members(self) -> list[Process]:
        candidates = list(every(but=self._outside))
        members = {process.pid for process in candidates if self._root in (process.pid, process.session)}
        while joining := {
            process.pid for process in candidates if process.parent in members and process.pid not in members
        }:
            members |= joining
        self._outside.update(process.pid for process in candidates if process.pid not in members)
        return [process for process in candidates if process.pid in members]


def pss_kib(pid: int) -> int:
    """Proportional set size in KiB: pages shared by n processes count 1/n; 0 when the process is gone.

    Source: `/proc/PID/smaps_rollup`. The kernel walks the page tables for it, so it is too dear for every
    sample.
    """
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            rollup = file.read()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0
    at = rollup.find(b"\nPss:")
    return int(rollup[at + 5 :].split(None, 1)[0]) if at >= 0 else 0


_KCMP = {"x86_64": 312, "aarch64": 272}.get(platform.machine())
_KCMP_VM = 1  # include/uapi/linux/kcmp.h

_syscall = ctypes.CDLL(None).syscall
_syscall.argtypes = [ctypes.c_long, *[ctypes.c_long] * 5]
_syscall.restype = ctypes.c_long


def is_shared(pid: int, other: int) -> bool:
    """Whether the memory of the two is one and the same, and not merely copied on write (kcmp(2)).

    False as well where the kernel does not tell: it is built without kcmp, forbids it, or one is gone.
    """
    return _KCMP is not None and _syscall(_KCMP, pid, other, _KCMP_VM, 0, 0) == 0
