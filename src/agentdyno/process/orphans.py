"""Processes whose parent has died: this process adopts them, reaps those that end, and kills the others."""

import contextlib
import ctypes
import os
import signal
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path

from agentdyno.measure import proc

PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Survivor:
    """A process that was killed because it outlived its parent, as it was before that.

    `environment` is what its program was started with, `command` its arguments, and `folder` its current
    folder, which ends with ` (deleted)` if it is gone. All three are empty where they could not be read.
    """

    process: proc.Process
    environment: list[bytes]
    command: list[bytes]
    folder: str


def adopt_orphans() -> None:
    """Make this process the parent of each orphaned descendant (prctl(2), PR_SET_CHILD_SUBREAPER)."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def reap_orphans(but: Container[int]) -> None:
    """Reap the children of this process that have ended, except those whose pid is in `but`: its own, whose
    exit status somebody waits for.
    """
    for pid in proc.listed_children(os.getpid()):
        if pid not in but:
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG)


@contextlib.contextmanager
def no_survivors() -> Iterator[list[Survivor]]:
    """Kill, at the end of the block, every child that this process got within the block and still has.

    Yields a list that then holds the killed: processes that a runtime left behind, also those in their own
    sessions. Needs `adopt_orphans`.
    """
    before = {process.pid for process in proc.children(os.getpid())}
    killed: list[Survivor] = []
    try:
        yield killed
    finally:
        while left := [process for process in proc.children(os.getpid()) if process.pid not in before]:
            for process in left:
                if not process.is_zombie:
                    killed.append(look_at(process))
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(process.pid, 0)


def look_at(process: proc.Process) -> Survivor:
    """What /proc shows of a process now."""
    return Survivor(
        process, _words(process.pid, "environ"), _words(process.pid, "cmdline"), _cwd(process.pid)
    )


def _words(pid: int, name: str) -> list[bytes]:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/{name}").read_bytes().split(b"\0")[:-1]
    return []


def _cwd(pid: int) -> str:
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/{pid}/cwd")
    return ""
