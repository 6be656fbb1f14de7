"""Foreign load: what ran on the processors beside a run, and was neither the run nor agentdyno.

It is the busy time of the processors that this process may use (proc(5), /proc/stat), less the processor
time of this process and of all that it has reaped (getrusage(2)). The runtime, its verifiers and the endpoint
are its descendants, and it adopts and reaps their orphans (PR_SET_CHILD_SUBREAPER in prctl(2)). A model
server on this machine is no foreign load either, because it is the endpoint. The kernel's own threads are
foreign.
"""

import os
import resource
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agentdyno.measure import proc
from agentdyno.measure.cgroup import PROC
from agentdyno.measure.listening import server_at
from agentdyno.measure.machine import grown, processors

MOST_NAMED = 3
NAMED_SHARE = 0.1
"""A program is named if it took this share of the foreign processor time that can be told apart, or more."""


Used = tuple[str, float]
"""The name of a process, and processor time in seconds."""


@dataclass(frozen=True, slots=True)
class ForeignLoad:
    """`share` is the foreign share of the time of the processors that this process may use, None where the
    machine does not tell. `programs` names the processes that took most of it and are still there, the
    largest first.
    """

    share: float | None
    programs: list[str]


class Watch:
    """Begins to count when it is made."""

    def __init__(self, mount: Path = PROC, server_port: int | None = None) -> None:
        """`mount` is where proc(5) is mounted; a model server of this machine listens at `server_port`."""
        self._server_port = server_port
        self._mount = mount
        self._usable = {f"cpu{number}" for number in os.sched_getaffinity(0)}
        self._ticks = processors(mount, self._usable)
        self._own_s = _own_s()
        self._each_s = _each_s()

    def load(self) -> ForeignLoad:
        """The foreign load since then, to be asked when all that belongs to the run has been reaped."""
        ticks = grown(self._ticks, processors(self._mount, self._usable))
        all_ticks = sum(ticks.values())
        if not all_ticks:
            return ForeignLoad(None, [])
        used = _used(self._each_s, _each_s())
        server = server_at(self._server_port) if self._server_port is not None else set()
        server_s = sum(used.pop(pid, ("", 0.0))[1] for pid in server)
        known = (_own_s() - self._own_s + server_s) * proc.CLOCK_TICKS_PER_S
        foreign = max(0.0, ticks["busy"] - known)
        return ForeignLoad(min(1.0, foreign / all_ticks), _busiest(used))


def _own_s() -> float:
    """Processor time of this process, and of all descendants that have ended and been reaped."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def _each_s() -> dict[int, Used]:
    """Name and processor time of every other process that this user may see, with the children it has reaped.

    The kernel's workers change their names.
    """
    return {
        process.pid: (process.name, process.own_cpu_s + process.reaped_children_cpu_s)
        for process in proc.every(but=(os.getpid(),))
    }


def _used(before: Mapping[int, Used], now: Mapping[int, Used]) -> dict[int, Used]:
    """What each process that is still there has used since `before`."""
    return {
        pid: (name, max(0.0, cpu_s - before.get(pid, (name, 0.0))[1])) for pid, (name, cpu_s) in now.items()
    }


def _busiest(used: Mapping[int, Used]) -> list[str]:
    took: dict[str, float] = {}
    for name, cpu_s in used.values():
        took[name] = took.get(name, 0.0) + cpu_s
    least = NAMED_SHARE * sum(took.values())
    names = sorted((name for name, cpu_s in took.items() if cpu_s > least), key=lambda name: -took[name])
    return names[:MOST_NAMED]
