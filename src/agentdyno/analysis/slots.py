"""Which agent worked on which task.

Events do not name the agents, which are alike. So agents are thought of as slots, and each task has the
lowest slot that was free when it began: no two tasks are in one slot at a time, and there are no more slots
than tasks ever were under way at once (the greedy colouring of an interval graph, which is optimal), so at
most `agents` in a run that kept to its number.
"""

import heapq

from agentdyno.rundata.events import RunEvents
from agentdyno.rundata.raw_run import RawRun

Span = tuple[int, int]
"""From when to when, in ns of CLOCK_MONOTONIC."""


def slots(run: RawRun) -> dict[str, int]:
    """The slot of each task, from 0, by the tasks' ids; tasks that never began have none."""
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
    """From when to when each task was worked on: from its first attempt to its outcome, or to the end of its
    last attempt where the run was cut short before that.
    """
    outcomes = {outcome.task: outcome.t for outcome in events.outcomes}
    spans: dict[str, Span] = {}
    for attempt in events.attempts:
        begin, end = spans.get(attempt.task, (attempt.t_begin, outcomes.get(attempt.task, 0)))
        spans[attempt.task] = min(begin, attempt.t_begin), max(end, attempt.t_end)
    return spans
