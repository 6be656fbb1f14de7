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

from agentdyno.measure import proc as processes
from agentdyno.measure.cgroup import PROC

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

    def __init__(self, proc: Path = PROC) -> None:
        """`proc` is where proc(5) is mounted."""
        self._proc = proc
        self._ticks = _ticks(proc)
        self._own_s = _own_s()
        self._each_s = _each_s()

    def load(self) -> ForeignLoad:
        """The foreign load since then, to be asked when all that belongs to the run has been reaped."""
        now = _ticks(self._proc)
        busy_s, all_s = (
            max(0, now[name] - self._ticks[name]) / processes.CLOCK_TICKS_PER_S for name in ("busy", "all")
        )
        if not all_s:
            return ForeignLoad(None, [])
        foreign_s = max(0.0, busy_s - (_own_s() - self._own_s))
        return ForeignLoad(min(1.0, foreign_s / all_s), _busiest(self._each_s, _each_s()))


def _ticks(proc: Path) -> Mapping[str, int]:
    """Clock ticks of the processors that this process may use, since boot."""
    try:
        lines = (proc / "stat").read_text().splitlines()
    except OSError:
        return {"busy": 0, "all": 0}
    busy = every = 0
    for line in lines:
        name, *words = line.split()
        if not name.startswith("cpu") or name == "cpu" or int(name[3:]) not in os.sched_getaffinity(0):
            continue
        # The time of user includes that of guests, and steal is nobody's here.
        user, nice, system, idle, iowait, irq, softirq, steal = map(int, words[:8])
        work = user + nice + system + irq + softirq
        busy += work
        every += work + idle + iowait + steal
    return {"busy": busy, "all": every}


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
        for process in processes.every(but=(os.getpid(),))
    }


def _busiest(before: Mapping[int, tuple[str, float]], now: Mapping[int, tuple[str, float]]) -> list[str]:
    took: dict[str, float] = {}
    for pid, (name, cpu_s) in now.items():
        took[name] = took.get(name, 0.0) + max(0.0, cpu_s - before.get(pid, (name, 0.0))[1])
    least = NAMED_SHARE * sum(took.values())
    names = sorted((name for name, cpu_s in took.items() if cpu_s > least), key=lambda name: -took[name])
    return names[:MOST_NAMED]
