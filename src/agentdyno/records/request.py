"""Requests: what the endpoint saw."""

from collections.abc import Iterator
from dataclasses import dataclass

from agentdyno.analysis.run_data import RunData
from agentdyno.records.record import Label, Record, of_run, since_start


@dataclass(frozen=True, slots=True)
class Request(Record):
    """One request by the endpoint's own clock; several for an attempt whose first try failed."""

    task: str | None
    """As found in the conversation; None where it is about none of the tasks."""
    attempt: int | None
    t_arrive_ms: float | None
    """When it had been read, since the run's start."""
    t_last_ms: float | None
    """When the last byte of the reply had left."""
    in_flight: int
    """Requests being answered when it arrived, with this one."""
    status: int
    finish: Label | None
    """The model's reason to end, or what ended it instead."""
    chunks: int
    max_late_ms: float | None
    """By how much the latest of its chunks left later than the schedule had it."""
    request_sha256: str | None


def requests(run: RunData) -> Iterator[Request]:
    """Every request of a run, in the order in which they were over."""
    where, ms = of_run(run.cell, run.block), since_start(run)
    for request in run.journal.requests:
        yield Request(
            **where,
            task=request.task,
            attempt=request.attempt,
            t_arrive_ms=ms(request.t_arrive),
            t_last_ms=ms(request.t_last),
            in_flight=request.in_flight,
            status=request.status,
            finish=request.finish,
            chunks=len(request.late_us),
            max_late_ms=max((late / 1000 for late in request.late_us), default=None),
            request_sha256=request.request_sha256,
        )
