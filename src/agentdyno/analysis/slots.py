"""Assigns tasks to agents.

Events do not name the agents, which are interchangeable. So slots stand for agents, and each task gets the
lowest slot that is free when the task begins: tasks of one slot do not overlap, and there are only as many
slots as tasks that ran at once (greedy colouring of an interval graph, which is optimal), so at most
`agents` in a run that kept its number of agents.
"""

import heapq

from agentdyno.rundata.events import RunEvents
from agentdyno.rundata.raw_run import RawRun

Span = tuple[int, int]
"""Begin and end, in ns of CLOCK_MONOTONIC."""


def slots(run: RawRun) -> dict[str, int]:
    """The slot of each task, from 0, by the task's id; tasks that never began have no slot."""
    spans = lifetimes(run.events)
    busy: list[tuple[int, int]] = []
    free: list[int] = []
    found: dict[str, int] = {}
    for task in sorted(spans, key=lambda task: (spans[task], task)):
        begin, end = spans[task]
        while busy and busy[0][0] <= begin:
            heapq.heappush(free, heapq.heappop(busy)[1])
        found[task] = heapq.heappop(free) if free else len(busy)
        heapq.heappush(busy, (end, found[task]))
    return found


def lifetimes(events: RunEvents) -> dict[str, Span]:
    """The lifetime of each task: from its first attempt to its outcome, or to the end of its last attempt
    where an incomplete run has no outcome.
    """
    outcomes = {outcome.task: outcome.t for outcome in events.outcomes}
    spans: dict[str, Span] = {}
    for attempt in events.attempts:
        begin, end = spans.get(attempt.task, (attempt.t_begin, outcomes.get(attempt.task, 0)))
        spans[attempt.task] = min(begin, attempt.t_begin), max(end, attempt.t_end)
    return spans
