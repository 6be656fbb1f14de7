"""Foreign load: what ran on the processors beside a run, and was neither the run nor agentdyno.

It is the busy time of the processors that this process may use (proc(5), /proc/stat), less the processor
time of this process and of all that it has reaped (getrusage(2)). The runtime, its verifiers and the endpoint
are its descendants, and it adopts and reaps their orphans (PR_SET_CHILD_SUBREAPER in prctl(2)). The kernel's
own threads are foreign.
"""

import os
import resource
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agentdyno.measure import proc
from agentdyno.measure.cgroup import PROC
from agentdyno.measure.machine import grown, processors

MOST_NAMED = 3
NAMED_SHARE = 0.1
"""A program is named if it took this share of the foreign processor time that can be told apart, or more."""


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

    def __init__(self, mount: Path = PROC) -> None:
        """`mount` is where proc(5) is mounted."""
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
        foreign = max(0.0, ticks["busy"] - (_own_s() - self._own_s) * proc.CLOCK_TICKS_PER_S)
        return ForeignLoad(min(1.0, foreign / all_ticks), _busiest(self._each_s, _each_s()))


def _own_s() -> float:
    """Processor time of this process, and of all descendants that have ended and been reaped."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def _each_s() -> dict[int, tuple[str, float]]:
    """Name and processor time of every other process that this user may see, with the children it has reaped.

    The kernel's workers change their names.
    """
    return {
        process.pid: (process.name, process.own_cpu_s + process.reaped_children_cpu_s)
        for process in proc.every(but=(os.getpid(),))
    }


def _busiest(before: Mapping[int, tuple[str, float]], now: Mapping[int, tuple[str, float]]) -> list[str]:
    took: dict[str, float] = {}
    for pid, (name, cpu_s) in now.items():
        took[name] = took.get(name, 0.0) + max(0.0, cpu_s - before.get(pid, (name, 0.0))[1])
    least = NAMED_SHARE * sum(took.values())
    names = sorted((name for name, cpu_s in took.items() if cpu_s > least), key=lambda name: -took[name])
    return names[:MOST_NAMED]
