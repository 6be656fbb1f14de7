"""Where an attempt's wall time went."""

import math
from collections.abc import Container, Iterable
from dataclasses import dataclass

from agentdyno.analysis.events import Attempt, RunEvents
from agentdyno.analysis.journal import Request
from agentdyno.analysis.run_data import RunData

NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One attempt's times in ms, from the moment at which it was due.

    `model` is the endpoint's own: from the request's arrival to the last byte's departure. `queue` is the
    wait for a slot, `verify` the life of the child as the runtime saw it, `transport` the tries that failed.
    `overhead` is the rest of `wall`, and the runtime's doing: the wait to be begun, prompt, connection,
    stream, extraction, files, spawn, bookkeeping, and every moment that it came late to one of them.
    """

    task: str
    attempt: int
    wall: float
    model: float
    queue: float
    verify: float
    transport: float

    @property
    def overhead(self) -> float:
        """What is left of `wall` when everything that is not the runtime's is taken out."""
        return self.wall - self.model - self.queue - self.verify - self.transport


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


def t_due(attempt: Attempt, events: RunEvents, first_tasks: Container[str]) -> int:
    """When the attempt could have begun, in nanoseconds.

    All agents are due at the run's start, and so are the tasks that they begin with, and not when the runtime
    gets to them: one that begins its agents one after the other would otherwise seem to have less overhead
    than one that begins all at once.
    """
    if attempt.attempt == 1 and attempt.task in first_tasks and events.t_start is not None:
        return min(events.t_start, attempt.t_begin)
    return attempt.t_begin


def completed(run: RunData) -> list[tuple[Attempt, Request, int]]:
    """Every attempt that got a completion and is found in the journal, in the order of the events, with its
    request and when it was due.
    """
    requests = match(run.events.attempts, run.journal.requests)
    first_tasks = begun_with(run.events, run.cell.agents)
    return [
        (attempt, requests[key], t_due(attempt, run.events, first_tasks))
        for attempt in run.events.attempts
        if (key := (attempt.task, attempt.attempt)) in requests
    ]


def entry(attempt: Attempt, request: Request, since: int) -> Entry:
    """The ledger of one attempt that was due at `since`, in nanoseconds."""
    return Entry(
        task=attempt.task,
        attempt=attempt.attempt,
        wall=(attempt.t_end - since) / NS_PER_MS,
        model=between(request.t_arrive, request.t_last),
        queue=between(attempt.t_queue, attempt.t_spawn),
        verify=between(attempt.t_started, attempt.t_exit),
        transport=attempt.transport_ns / NS_PER_MS,
    )


def between(begin: int | None, end: int | None) -> float:
    """From one moment to another in ms; 0 where one of them did not come."""
    return (end - begin) / NS_PER_MS if begin is not None and end is not None else 0.0
