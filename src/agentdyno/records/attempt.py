"""Attempts: the runtime's events, each with its ledger."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agentdyno.analysis import ledger
from agentdyno.analysis.events import PHASES
from agentdyno.analysis.ledger import PARTS
from agentdyno.analysis.run_data import RunData
from agentdyno.records.record import Label, Record, of_run, since_start

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


def attempts(run: RunData) -> Iterator[Attempt]:
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
