"""When each attempt was due: from then on, whoever waits waits for the runtime.

All times are in nanoseconds of CLOCK_MONOTONIC. Latency that counts from the actual start excludes the wait
that the runtime's own slowness causes. Gil Tene calls this error "coordinated omission".
"""

import heapq
import math
from collections.abc import Mapping

from agentdyno.rundata.events import RunEvents
from agentdyno.rundata.raw_run import RawRun


class Due:
    """The due times of all attempts of a run: of a task's first one as `firsts` says, of each further one
    when the one before ended.
    """

    def __init__(self, run: RawRun, firsts: Mapping[str, int]) -> None:
        self._firsts = firsts
        self._ends: dict[tuple[str, int], int] = {}
        if not run.is_of_0_1:
            retried = {task for task, n in run.events.attempts.of("task", "attempt") if n > 1}
            for task, number, t_end in run.events.attempts.of("task", "attempt", "t_end"):
                if task in retried:
                    self._ends[task, number] = t_end

    def of(self, task: str, attempt: int, t_begin: int) -> int:
        """The due time of an attempt; without another, the time when it began."""
        due = self._firsts.get(task) if attempt == 1 else self._ends.get((task, attempt - 1))
        return t_begin if due is None else min(due, t_begin)


def first_due(run: RawRun) -> dict[str, int]:
    """The due times of first attempts by task.

    The first task of each agent is due at the run's start. Otherwise a runtime that starts its agents one
    after the other would seem to have less overhead than one that starts them all at once. Each later task is
    due when an agent became free. A task with an intended start is due at that moment, or when an agent
    becomes free, if that is later: the wait for a free agent is not overhead, because the experiment sets the
    number of agents.
    """
    t_start, agents = run.events.t_start, run.cell.agents
    if t_start is None:
        return {}
    if run.starts:
        free = dict(zip(run.task_ids[agents:], _freed(run), strict=False))
        return {task: max(t_start + start, free.get(task, t_start)) for task, start in run.starts.items()}
    due = dict.fromkeys(begun_with(run.events, agents), t_start)
    if not run.is_of_0_1:
        begins = run.events.attempts.of("t_begin", "task", "attempt")
        later = sorted((begin, task) for begin, task, n in begins if n == 1 and task not in due)
        due |= {task: t_free for (_, task), t_free in zip(later, _freed(run), strict=False)}
    return due


def intended_starts(run: RawRun) -> dict[str, int]:
    """When tasks should begin by task, even if no agent is free: a user waits from then on."""
    t_start = run.events.t_start
    if t_start is None or not run.starts:
        return first_due(run)
    return {task: t_start + start for task, start in run.starts.items()}


def begun_with(events: RunEvents, agents: int) -> dict[str, int]:
    """The first task of each agent, by the task's id, with the moment when it began.

    Tasks that begin after the first end of a task are left out, as they may be an agent's second task.
    """
    first_end = min(events.outcomes.column("t"), default=math.inf)
    firsts = heapq.nsmallest(
        agents,
        ((begin, task) for begin, task, n in events.attempts.of("t_begin", "task", "attempt") if n == 1),
    )
    return {task: t_begin for t_begin, task in firsts if t_begin < first_end}


def _freed(run: RawRun) -> list[int]:
    """When agents became free, in order: at the end of each task's last attempt."""
    if run.is_of_0_1:
        return sorted(run.events.outcomes.column("t"))
    ends = dict(run.events.outcomes.of("task", "t"))
    for task, t_end in run.events.attempts.of("task", "t_end"):
        if task in ends:
            ends[task] = t_end
    return sorted(ends.values())
