"""Where an attempt's wall time went, from the runtime's events and the endpoint's journal."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from agentdyno.rundata.cell import REAL
from agentdyno.rundata.events import Attempt, RunEvents
from agentdyno.rundata.journal import Request
from agentdyno.rundata.raw_run import RawRun

NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one attempt in ms, in the order in which they come.

    Each is read off by itself and none is negative, so that they need not sum to the wall time: where they do
    not, two clocks or two programs disagree, and a gate says so.
    """

    begin: float
    """From the moment at which the attempt was due until the runtime began it."""
    prompt: float
    """Messages, body and connection, until the runtime began to write; failed tries are not in it."""
    transport: float
    """The tries that failed, and the sleeps after them."""
    send: float
    """Until the endpoint had read the request."""
    model: float
    """By the endpoint's clock: from the arrival of the request to the departure of the last byte."""
    stream: float
    """Until the runtime had understood the end of the reply."""
    extract: float
    """Extraction, workspace and files, until a slot was asked for."""
    queue: float
    """Waiting for a verification slot."""
    spawn: float
    """Until the test process was there."""
    verify: float
    """The life of the test process, as the runtime saw it."""
    bookkeeping: float
    """Verdict, feedback, removal of the workspace; without a verification, all that follows the reply."""

    @property
    def total(self) -> float:
        """All parts together."""
        return float(sum(getattr(self, name) for name in PARTS))


PARTS = tuple(field.name for field in fields(Parts))
"""The parts' names, in the order in which they come."""

NOT_OVERHEAD = ("transport", "model", "queue", "verify")
"""The parts that are not overhead; what begins, sends, reads, writes and spawns is the runtime's own."""


FIGURES = (*PARTS, "wall", "overhead")
"""The parts of an attempt, what they sum to, and those that are the runtime's own."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The ledger of one attempt. `wall` is from the moment at which the attempt was due to its end, in ms."""

    task: str
    attempt: int
    verdict: str
    wall: float
    parts: Parts

    @property
    def overhead(self) -> float:
        """What is left of `wall` when everything that is not the runtime's is taken out.

        It is not a sum of parts: what no part accounts for is overhead as well.
        """
        return float(self.wall - sum(getattr(self.parts, name) for name in NOT_OVERHEAD))

    @property
    def imbalance(self) -> float:
        """By how much the parts miss the wall time, in ms."""
        return abs(self.parts.total - self.wall)


def match(attempts: Iterable[Attempt], requests: Iterable[Request]) -> dict[tuple[str, int], Request]:
    """The request behind each attempt that got a completion: same task, same attempt, same body, answered
    in full.
    """
    answered = {
        (request.task, request.attempt, request.request_sha256): request
        for request in requests
        if request.is_complete
    }
    return {
        (attempt.task, attempt.attempt): answered[key]
        for attempt in attempts
        if attempt.completion_sha256 is not None
        and (key := (attempt.task, attempt.attempt, attempt.request_sha256)) in answered
    }


def begun_with(events: RunEvents, agents: int) -> dict[str, int]:
    """The tasks that the agents begin with, by their ids, and when they were begun, in nanoseconds.

    Once a task has ended, an agent may be at its second, so what begins later does not count as such.
    """
    first_end = min((outcome.t for outcome in events.outcomes), default=math.inf)
    firsts = sorted((attempt.t_begin, attempt.task) for attempt in events.attempts if attempt.attempt == 1)
    return {task: t_begin for t_begin, task in firsts[:agents] if t_begin < first_end}


def due_times(run: RawRun) -> dict[str, int]:
    """When the first attempts of tasks could have begun, in nanoseconds, where that is not when they did.

    All agents are due at the run's start, and so are the tasks that they begin with, and not when the runtime
    gets to them: one that begins its agents one after the other would otherwise seem to have less overhead
    than one that begins all at once. A task with a start of its own is due then, or as soon as an agent is
    free for it: the wait for one is no doing of the runtime's, whose agents are as many as it was told.
    """
    t_start = run.events.t_start
    if t_start is None:
        return {}
    if not run.starts:
        return dict.fromkeys(begun_with(run.events, run.cell.agents), t_start)
    ends, agents = sorted(outcome.t for outcome in run.events.outcomes), run.cell.agents
    free = dict(zip(run.task_ids[agents:], ends, strict=False))
    return {task: max(t_start + start, free.get(task, t_start)) for task, start in run.starts.items()}


def intended_starts(run: RawRun) -> dict[str, int]:
    """When tasks were to begin, whether or not an agent was free: what a user would have waited from.

    Who counts from the moment at which a task was taken up leaves out the wait that its own slowness has
    caused, which Gil Tene calls "coordinated omission".
    """
    t_start = run.events.t_start
    if t_start is None or not run.starts:
        return due_times(run)
    return {task: t_start + start for task, start in run.starts.items()}


def entries(run: RawRun) -> list[Entry]:
    """The ledger of every attempt that got a completion and is found in the journal, in the order of the
    events.
    """
    requests = match(run.events.attempts, run.journal.requests)
    due_at = due_times(run)
    relayed = run.cell.profile.startswith(REAL)
    return [
        _entry(attempt, requests[key], since(attempt, due_at), relayed=relayed)
        for attempt in run.events.attempts
        if (key := (attempt.task, attempt.attempt)) in requests
    ]


def since(attempt: Attempt, due_at: Mapping[str, int]) -> int:
    """From when an attempt counts: later attempts, and tasks that follow others, are due when they begin."""
    if attempt.attempt > 1:
        return attempt.t_begin
    return min(due_at.get(attempt.task, attempt.t_begin), attempt.t_begin)


def _entry(attempt: Attempt, request: Request, t_due: int, *, relayed: bool) -> Entry:
    # Who has a completion has sent a request and seen its end.
    t_request, t_last = attempt.t_request or attempt.t_begin, attempt.t_last or attempt.t_end
    t_model = request.t_last
    if relayed and t_model is not None:
        # What a real model sends after the finish_reason, usage and [DONE], may leave later than that.
        t_model = min(t_model, t_last)
    verified = attempt.t_queue is not None and attempt.t_exit is not None
    transport = attempt.transport_ns / NS_PER_MS
    return Entry(
        task=attempt.task,
        attempt=attempt.attempt,
        verdict=attempt.verdict,
        wall=(attempt.t_end - t_due) / NS_PER_MS,
        parts=Parts(
            begin=_between(t_due, attempt.t_begin),
            prompt=max(0.0, _between(attempt.t_begin, t_request) - transport),
            transport=transport,
            send=_between(t_request, request.t_arrive),
            model=_between(request.t_arrive, t_model),
            stream=_between(t_model, t_last),
            extract=_between(t_last, attempt.t_queue) if verified else 0.0,
            queue=_between(attempt.t_queue, attempt.t_spawn),
            spawn=_between(attempt.t_spawn, attempt.t_started),
            verify=_between(attempt.t_started, attempt.t_exit),
            bookkeeping=_between(attempt.t_exit if verified else t_last, attempt.t_end),
        ),
    )


def _between(begin: int | None, end: int | None) -> float:
    """From one moment to a later one in ms; 0 where one of them did not come, or came first."""
    return max(0, end - begin) / NS_PER_MS if begin is not None and end is not None else 0.0


def means(runs: Iterable[Sequence[Entry]]) -> list[float] | None:
    """The mean of each of FIGURES over all attempts; None where no attempt has a ledger."""
    found = [entry for attempts in runs for entry in attempts]
    if not found:
        return None
    parts = [statistics.fmean(getattr(entry.parts, name) for entry in found) for name in PARTS]
    wall, overhead = (statistics.fmean(getattr(entry, name) for entry in found) for name in FIGURES[-2:])
    return [*parts, wall, overhead]
