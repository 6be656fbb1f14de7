"""The processes that a runtime started, and which of them run below its verifiers."""

import ctypes
import os
import platform
from collections.abc import Container, Sequence
from pathlib import Path

from agentdyno.measure.proc import Process, children, every


class Tree:
    """The leader of a session, its descendants, all other processes of that session, and what this process,
    which must adopt orphans, adopted of them: its children besides the leader and those `beside`.

    A child that has not yet executed its program is left out. Such a child may share its parent's memory
    (vfork(2)), so it would count the parent twice, and a peak keeps one wrong sample. Where the kernel
    reports shared memory, the child is left out while it shares memory, which can take several polls on a
    busy machine. Otherwise, and after fork(2), the child is left out in the first poll in which it has the
    leader's group, or the arguments of a process in that group.

    A process found outside the tree is not read again: most processes are outside, and a process does not
    move into a tree. (A reused pid could be missed, but pids repeat only after thousands of runs.)
    """

    def __init__(self, root: int, beside: Container[int] | None = None) -> None:
        self._root = root
        self._adopter = os.getpid()
        self._beside = {process.pid for process in children(self._adopter)} if beside is None else beside
        self._inside: set[int] = {root}
        self._outside: set[int] = set()
        self._like_leader: set[int] = {root}

    def processes(self) -> list[Process]:
        """The present members."""
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
        members = with_descendants({each.pid for each in candidates if self._is_member(each)}, candidates)
        self._inside = members
        self._outside.update(process.pid for process in candidates if process.pid not in members)
        return [process for process in candidates if process.pid in members]

    def _is_member(self, process: Process) -> bool:
        """Whether the process is one by itself, and not only as the child of one."""
        if process.pid in self._inside or process.session == self._root:
            return True
        return process.parent == self._adopter and process.pid not in self._beside


def with_descendants(pids: set[int], processes: Sequence[Process]) -> set[int]:
    """These pids, and those of all of `processes` that descend from them."""
    found = set(pids)
    while joining := {each.pid for each in processes if each.parent in found and each.pid not in found}:
        found |= joining
    return found


class Verifications:
    """Tells the processes of a tree that run below a verifier from those of the runtime itself.

    The first process of a verification runs `program`, which the kernel knows and no process can claim. What
    is once seen below one stays below it, also when its parent has died.
    """

    def __init__(self, program: Path) -> None:
        self._program = _identity(program)
        self._below: set[int] = set()
        self._others: dict[int, int] = {}

    def among(self, processes: Sequence[Process]) -> set[int]:
        """The pids of those that run below a verifier."""
        below = self._below & {process.pid for process in processes}
        firsts = {each.pid for each in processes if each.pid not in below and self._is_first(each)}
        self._below = with_descendants(below | firsts, processes)
        return self._below

    def _is_first(self, process: Process) -> bool:
        # The program that a process runs changes with its arguments' address, and is looked up only then.
        if self._others.get(process.pid) == process.arguments_at:
            return False
        if _identity(Path(f"/proc/{process.pid}/exe")) == self._program:
            return True
        self._others[process.pid] = process.arguments_at
        return False


def _identity(path: Path) -> tuple[int, int] | None:
    """What names a file, whatever its path; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


_KCMP = {"x86_64": 312, "aarch64": 272}.get(platform.machine())
_KCMP_VM = 1  # include/uapi/linux/kcmp.h

_syscall = ctypes.CDLL(None).syscall
_syscall.argtypes = [ctypes.c_long, *[ctypes.c_long] * 5]
_syscall.restype = ctypes.c_long


def is_shared(pid: int, other: int) -> bool:
    """Whether two processes use the same address space, and not copies on write (kcmp(2)).

    Also False where the kernel cannot tell: it has no kcmp, forbids kcmp, or one of the processes is gone.
    """
    return _KCMP is not None and _syscall(_KCMP, pid, other, _KCMP_VM, 0, 0) == 0
