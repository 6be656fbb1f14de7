"""Where an attempt's wall time went, from the runtime's events and the endpoint's journal."""

import heapq
import math
import statistics
from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from agentdyno.rundata.cell import REAL
from agentdyno.rundata.columns import Columns
from agentdyno.rundata.events import Attempt, RunEvents
from agentdyno.rundata.journal import Request
from agentdyno.rundata.raw_run import RawRun

NS_PER_MS = 1_000_000


class Parts(NamedTuple):
    """The parts of one attempt in ms, in chronological order.

    Each part is measured by itself and is at least 0, so the parts need not sum to the wall time. If the sum
    is wrong, two clocks or two programs disagree, and a gate fails.
    """

    begin: float
    """From the attempt's due time until the runtime began the attempt."""
    prompt: float
    """Messages, body and connection, until the runtime began to write; without failed tries."""
    transport: float
    """The failed tries and the pauses after them."""
    send: float
    """Until the endpoint had read the request."""
    model: float
    """From the arrival of the request to the departure of the finish reason, by the endpoint's clock; and the
    wait for the rest of the stream, which the contract allows and of which the endpoint decides.
    """
    stream: float
    """Until the runtime had parsed the end of the reply."""
    extract: float
    """Extraction, workspace and files, until the runtime requested a slot."""
    queue: float
    """The wait for a verification slot."""
    spawn: float
    """Until the test process existed."""
    verify: float
    """The lifetime of the test process, by the runtime's events."""
    bookkeeping: float
    """Verdict, feedback, removal of the workspace; without a verification, everything after the reply."""

    @property
    def total(self) -> float:
        """The sum of all parts."""
        return float(sum(self))


PARTS = Parts._fields
"""The names of the parts, in chronological order."""

NOT_OVERHEAD = ("transport", "model", "queue", "verify")
"""The parts that are not overhead. The other parts are work of the runtime."""


FIGURES = (*PARTS, "wall", "overhead")
"""The parts of an attempt, its wall time and its overhead."""


class Entry(NamedTuple):
    """The ledger of one attempt, which took place from `t_begin` to `t_end`, in ns of CLOCK_MONOTONIC.

    `wall` is the time from the attempt's due time to its end, in ms.
    """

    task: str
    attempt: int
    verdict: str
    t_begin: int
    t_end: int
    wall: float
    parts: Parts

    @property
    def overhead(self) -> float:
        """`wall` minus the parts that are not the runtime's, in ms.

        The overhead is not a sum of parts, because time that no part covers is overhead too.
        """
        return float(self.wall - sum(getattr(self.parts, name) for name in NOT_OVERHEAD))

    @property
    def imbalance(self) -> float:
        """The difference between the sum of the parts and the wall time, in ms."""
        return abs(self.parts.total - self.wall)


UNSERVED = -1
"""The position of no request."""


def match(attempts: Columns[Attempt], requests: Columns[Request]) -> Sequence[int]:
    """For each attempt the position of the request that served it: same task, attempt and body.

    UNSERVED for attempts without a completion, and for those whose request the journal lacks.
    """
    first: dict[tuple[str | None, int | None], int] = {}
    others: dict[tuple[str | None, int | None, str | None], int] = {}
    fields = ("task", "attempt", "request_sha256")
    for position, (task, number, sha256, is_served) in enumerate(requests.of(*fields, "is_served")):
        if is_served and first.setdefault((task, number), position) != position:
            others[task, number, sha256] = position
    hashes = requests.column("request_sha256")
    found = array("q")
    for task, number, sha256, completion in attempts.of(*fields, "completion_sha256"):
        position = others.get((task, number, sha256), UNSERVED)
        if position == UNSERVED:
            position = first.get((task, number), UNSERVED)
        is_same = completion is not None and position != UNSERVED and hashes[position] == sha256
        found.append(position if is_same else UNSERVED)
    return found


def begun_with(events: RunEvents, agents: int) -> dict[str, int]:
    """The first task of each agent, by the task's id, with the moment when it began, in nanoseconds.

    Tasks that begin after the first end of a task are left out, as they may be an agent's second task.
    """
    first_end = min(events.outcomes.column("t"), default=math.inf)
    firsts = heapq.nsmallest(
        agents,
        ((begin, task) for begin, task, n in events.attempts.of("t_begin", "task", "attempt") if n == 1),
    )
    return {task: t_begin for t_begin, task in firsts if t_begin < first_end}


def due_times(run: RawRun) -> dict[str, int]:
    """The due times of first attempts, in nanoseconds, by task; other first attempts are due when they begin.

    The first task of each agent is due at the run's start. Otherwise a runtime that starts its agents one
    after the other would seem to have less overhead than one that starts them all at once. A task with an
    intended start is due at that moment, or when an agent becomes free, if that is later: the wait for a free
    agent is not overhead, because the experiment sets the number of agents.
    """
    t_start = run.events.t_start
    if t_start is None:
        return {}
    if not run.starts:
        return dict.fromkeys(begun_with(run.events, run.cell.agents), t_start)
    ends, agents = sorted(run.events.outcomes.column("t")), run.cell.agents
    free = dict(zip(run.task_ids[agents:], ends, strict=False))
    return {task: max(t_start + start, free.get(task, t_start)) for task, start in run.starts.items()}


def intended_starts(run: RawRun) -> dict[str, int]:
    """When tasks should begin, in nanoseconds, by task, even if no agent is free: a user waits from then on.

    Latency that counts from the actual start excludes the wait that the runtime's own slowness causes. Gil
    Tene calls this error "coordinated omission".
    """
    t_start = run.events.t_start
    if t_start is None or not run.starts:
        return due_times(run)
    return {task: t_start + start for task, start in run.starts.items()}


def entries(run: RawRun) -> Columns[Entry]:
    """The ledger of every attempt with a completion that the journal contains, in the order of the events."""
    due_at = due_times(run)
    relayed = run.cell.profile.startswith(REAL)
    attempts, requests = run.events.attempts, run.journal.requests
    timed = attempts.without("usage", "request_sha256", "completion_sha256", "reason")
    return Columns(
        Entry,
        (
            _entry(
                attempt,
                requests[position],
                since(attempt.task, attempt.attempt, attempt.t_begin, due_at),
                relayed=relayed,
            )
            for attempt, position in zip(timed, match(attempts, requests), strict=True)
            if position != UNSERVED
        ),
    )


def since(task: str, attempt: int, t_begin: int, due_at: Mapping[str, int]) -> int:
    """An attempt's due time in nanoseconds: retries and an agent's later tasks are due when they begin."""
    if attempt > 1:
        return t_begin
    return min(due_at.get(task, t_begin), t_begin)


def _reply_over(attempt: Attempt, request: Request, t_last: int) -> int:
    """When the runtime need not wait for the endpoint any more: at `t_last`, when it had the finish reason;
    or, if the endpoint sent the end of the stream later, as LiteLLM, Azure and others do, when that left or
    when the runtime went on without it. Of a tail that is longer than a runtime waits, the journal has
    nothing but the moment when the runtime left.
    """
    if request.t_finish is None or request.t_over is None or request.t_over <= request.t_finish:
        return t_last
    went_on = attempt.t_queue if attempt.t_queue is not None else attempt.t_end
    return max(t_last, min(request.t_over, went_on))


def _entry(attempt: Attempt, request: Request, t_due: int, *, relayed: bool) -> Entry:
    # An attempt with a completion should have both times; a runtime that omits one still gets a ledger.
    t_request, t_last = attempt.t_request or attempt.t_begin, attempt.t_last or attempt.t_end
    t_finish, t_over = request.t_finish, _reply_over(attempt, request, t_last)
    if relayed and t_finish is not None:
        # Journals of version 0.1.0 have only the end of the stream, which a real model may send later.
        t_finish = min(t_finish, t_last)
    # An attempt that was cut short was until its end in the part that it had reached.
    t_queue, t_end = attempt.t_queue, attempt.t_end
    spawned, started, exited = (
        t_end if t is None else t for t in (attempt.t_spawn, attempt.t_started, attempt.t_exit)
    )
    transport = attempt.transport_ns / NS_PER_MS
    return Entry(
        task=attempt.task,
        attempt=attempt.attempt,
        verdict=attempt.verdict,
        t_begin=attempt.t_begin,
        t_end=attempt.t_end,
        wall=(attempt.t_end - t_due) / NS_PER_MS,
        parts=Parts(
            begin=_between(t_due, attempt.t_begin),
            prompt=max(0.0, _between(attempt.t_begin, t_request) - transport),
            transport=transport,
            send=_between(t_request, request.t_arrive),
            model=_between(request.t_arrive, t_finish) + _between(t_last, t_over),
            stream=_between(t_finish, t_last),
            extract=_between(t_over, t_queue),
            queue=_between(t_queue, spawned),
            spawn=_between(attempt.t_spawn, started),
            verify=_between(attempt.t_started, exited),
            bookkeeping=_between(t_over if t_queue is None else exited, t_end),
        ),
    )


def _between(begin: int | None, end: int | None) -> float:
    """The time between two moments in ms; 0 where one is missing or `end` is not after `begin`."""
    return max(0, end - begin) / NS_PER_MS if begin is not None and end is not None else 0.0


def means(runs: Iterable[Sequence[Entry]]) -> list[float] | None:
    """The means of FIGURES, in their order, over all attempts; None where no attempt has a ledger."""
    kept = list(runs)
    if not any(kept):
        return None
    parts = [statistics.fmean(getattr(entry.parts, name) for entry in chain(*kept)) for name in PARTS]
    wall, overhead = (
        statistics.fmean(getattr(entry, name) for entry in chain(*kept)) for name in FIGURES[-2:]
    )
    return [*parts, wall, overhead]
