"""The course of a run: what each agent did when."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from agentdyno.analysis.ledger import NS_PER_MS, PARTS, Entry, entries
from agentdyno.analysis.slots import lifetimes, slots
from agentdyno.rundata.events import Attempt, by_task
from agentdyno.rundata.raw_run import RawRun


@dataclass(frozen=True, slots=True)
class Slice:
    """Something that lasted from `begin` to `end`, in ns of CLOCK_MONOTONIC, and what was `within` it.

    `kind` is task, attempt, phase (a part of the ledger) or moment, which lasts no time.
    """

    kind: str
    name: str
    begin: int
    end: int
    facts: dict[str, Any] = field(default_factory=dict)
    within: "list[Slice]" = field(default_factory=list)


def course(run: RawRun) -> dict[int, list[Slice]]:
    """The tasks of each slot, one after the other.

    Slices nest, and those beside each other do not overlap, also where a runtime's events or two clocks
    contradict each other: then what comes first is left as it is and what follows is cut. A task and its
    first attempt begin when they were due, or when the slot was free. An attempt without a ledger has no
    phases.
    """
    slot_of, spans = slots(run), lifetimes(run.events)
    attempts = by_task(sorted(run.events.attempts, key=lambda attempt: attempt.t_begin))
    ledger = {(entry.task, entry.attempt): entry for entry in entries(run)}
    outcomes = {outcome.task: outcome for outcome in run.events.outcomes}
    found: dict[int, list[Slice]] = {slot: [] for slot in sorted(set(slot_of.values()))}
    for task in sorted(slot_of, key=lambda task: spans[task]):
        before = found[slot_of[task]]
        begin, end = spans[task]
        if (first := ledger.get((task, 1))) is not None:
            due = attempts[task][0].t_end - round(first.wall * NS_PER_MS)
            begin = max(min(begin, due), before[-1].end if before else due)
        outcome = outcomes.get(task)
        facts = {"outcome": outcome.outcome, "reason": outcome.reason} if outcome else {}
        before.append(Slice("task", task, begin, end, facts, list(_attempts(attempts[task], ledger, begin))))
    return found


def _attempts(attempts: list[Attempt], ledger: dict[tuple[str, int], Entry], begin: int) -> Iterator[Slice]:
    """The attempts at one task, which begins at `begin`."""
    for attempt in attempts:
        if attempt.attempt > 1:
            begin = max(begin, attempt.t_begin)
        end = max(begin, attempt.t_end)
        entry = ledger.get((attempt.task, attempt.attempt))
        within = list(_phases(attempt, entry, begin, end)) if entry else []
        if attempt.t_first is not None:
            moment = min(max(attempt.t_first, begin), end)
            within.append(Slice("moment", "first token", moment, moment))
        yield Slice(
            "attempt",
            f"attempt {attempt.attempt}: {attempt.verdict}",
            begin,
            end,
            {
                "transport_retries": attempt.transport_retries,
                "overhead_ms": entry and round(entry.overhead, 3),
                "usage": attempt.usage,
                "exit_code": attempt.exit_code,
                "signal": attempt.signal,
                "timed_out": attempt.timed_out,
                "reason": attempt.reason,
            },
            within,
        )
        begin = end


def _phases(attempt: Attempt, entry: Entry, begin: int, end: int) -> Iterator[Slice]:
    """The parts of an attempt's ledger, within its slice."""
    due = attempt.t_end - round(entry.wall * NS_PER_MS)
    for name, so_far in zip(PARTS, accumulate(getattr(entry.parts, name) for name in PARTS), strict=True):
        over = min(max(begin, due + round(so_far * NS_PER_MS)), end)
        if over > begin:
            yield Slice("phase", name, begin, over)
        begin = over
