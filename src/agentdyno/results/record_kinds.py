"""Attempts: the runtime's events, each with its ledger."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agentdyno.analysis import ledger
from agentdyno.analysis.ledger import PARTS
from agentdyno.analysis.metrics import task_rows
from agentdyno.results.records import Label, Record, of_run, since_start
from agentdyno.results.summary import Row
from agentdyno.rundata.events import PHASES
from agentdyno.rundata.raw_run import RawRun

LARGEST = 2**63 - 1
"""What fits in a column of integers."""


@dataclass(frozen=True, slots=True)
class Attempt(Record):
    """One completion and its verification.

    The moments `t_…_ms` are since the run's start, None for what did not happen (runtimes/CONTRACT.md,
    Events, has them). `wall_ms`, its parts from `begin_ms` to `bookkeeping_ms`, and `overhead_ms` are the
    ledger (docs/measuring.md), None for an attempt without a completion that the endpoint has served.
    """

    task: str
    attempt: int
    """From 1."""
    verdict: Label
    reason: str | None
    t_begin_ms: float | None
    t_request_ms: float | None
    t_first_ms: float | None
    t_last_ms: float | None
    t_queue_ms: float | None
    t_spawn_ms: float | None
    t_started_ms: float | None
    t_exit_ms: float | None
    t_end_ms: float | None
    wall_ms: float | None
    """From the moment at which the attempt was due to its end."""
    begin_ms: float | None
    prompt_ms: float | None
    transport_ms: float | None
    send_ms: float | None
    model_ms: float | None
    stream_ms: float | None
    extract_ms: float | None
    queue_ms: float | None
    spawn_ms: float | None
    verify_ms: float | None
    bookkeeping_ms: float | None
    overhead_ms: float | None
    """What is left of `wall_ms` without transport, model, queue and verify."""
    transport_retries: int
    """Tries after the first."""
    prompt_tokens: int | None
    """By the endpoint's usage, as is the next."""
    completion_tokens: int | None
    exit_code: int | None
    """The verifier's, or `signal` ended it."""
    signal: int | None
    timed_out: bool
    request_sha256: str | None
    completion_sha256: str | None


def attempts(run: RawRun) -> Iterator[Attempt]:
    """Every attempt of a run, in the order of the events."""
    where, ms = of_run(run.cell, run.block), since_start(run)
    ledgers = {(entry.task, entry.attempt): entry for entry in ledger.entries(run)}
    for attempt in run.events.attempts:
        entry = ledgers.get((attempt.task, attempt.attempt))
        usage = attempt.usage or {}
        moments: dict[str, Any] = {f"{phase}_ms": ms(getattr(attempt, phase)) for phase in PHASES}
        parts: dict[str, Any] = {
            f"{part}_ms": getattr(entry.parts, part) if entry else None for part in PARTS
        }
        yield Attempt(
            **where,
            task=attempt.task,
            attempt=attempt.attempt,
            verdict=attempt.verdict,
            reason=attempt.reason,
            **moments,
            wall_ms=entry.wall if entry else None,
            **parts,
            overhead_ms=entry.overhead if entry else None,
            transport_retries=attempt.transport_retries,
            prompt_tokens=_count(usage.get("prompt_tokens")),
            completion_tokens=_count(usage.get("completion_tokens")),
            exit_code=attempt.exit_code,
            signal=attempt.signal,
            timed_out=attempt.timed_out,
            request_sha256=attempt.request_sha256,
            completion_sha256=attempt.completion_sha256,
        )


def _count(said: Any) -> int | None:
    """A number of tokens, if it is one: an endpoint may say anything."""
    return said if type(said) is int and 0 <= said <= LARGEST else None


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
    status: int | None
    finish: Label | None
    """The model's reason to end, or what ended it instead."""
    chunks: int
    max_late_ms: float | None
    """By how much the latest of its chunks left later than the schedule had it."""
    request_sha256: str | None


def requests(run: RawRun) -> Iterator[Request]:
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
            chunks=request.chunks,
            max_late_ms=None if request.max_late_us is None else request.max_late_us / 1000,
            request_sha256=request.request_sha256,
        )


@dataclass(frozen=True, slots=True)
class Sample(Record):
    """One look at a runtime, 15 ms after the one before; at the tree of its processes in each tenth only."""

    t_ms: float | None
    """Since the run's start. Looks before it, at a program that begins, count in no figure."""
    rss_kib: int
    """Resident memory of the runtime's own processes."""
    peak_rss_kib: int
    """Their high-water marks so far."""
    tree_pss_kib: int | None
    """Proportional memory of the runtime and its test processes."""
    tools_pss_kib: int | None
    """Of that, the test processes'."""
    tree_processes: int | None
    threads: int
    """Of the runtime's own processes."""
    cpu_s: float
    """Processor time of the runtime's own processes so far."""
    endpoint_cpu_s: float | None
    """Processor time of the endpoint so far."""


def samples(run: RawRun) -> Iterator[Sample]:
    """Every look at a run, in order; none in a run that was not sampled."""
    where, ms = of_run(run.cell, run.block), since_start(run)
    for look in run.samples:
        seen = look._asdict()
        yield Sample(**where, t_ms=ms(seen.pop("t")), **seen)


@dataclass(frozen=True, slots=True)
class Task(Record):
    """One task of one run. Times are summed over its attempts, None where one of these has no ledger."""

    task: str
    outcome: Label
    reason: str | None
    attempts: int
    transport_retries: int
    t_end_ms: float | None
    """When it was over, since the run's start."""
    wall_ms: float
    """From when it was to begin, whether or not an agent was free."""
    begin_ms: float
    """Of `wall_ms`, until it was begun."""
    model_ms: float | None
    queue_ms: float | None
    verify_ms: float | None
    overhead_ms: float | None


def tasks(run: RawRun) -> Iterator[Task]:
    """Every task of a run that has an outcome, in the order in which they ended."""
    where, ms = of_run(run.cell, run.block), since_start(run)
    rows = task_rows(run, ledger.entries(run))
    for outcome, row in zip(run.events.outcomes, rows, strict=True):
        yield Task(**where, **row._asdict(), t_end_ms=ms(outcome.t))


@dataclass(frozen=True, slots=True)
class Value(Record):
    """The value of one metric in one run (docs/measuring.md defines the metrics)."""

    valid: bool
    """Whether no gate stands against this figure of the row that the run belongs to."""
    metric: Label
    unit: Label
    value: float | None


def values(row: Row, block: int, number: int) -> Iterator[Value]:
    """Every figure of the run that was made in `block` and is the row's `number`th, from 0."""
    for name, metric in row.metrics.items():
        yield Value(
            **of_run(row.cell, block),
            valid=row.has_valid(name),
            metric=name,
            unit=metric.unit,
            value=metric.values[number],
        )
