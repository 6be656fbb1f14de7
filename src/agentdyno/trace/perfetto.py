"""A run as a trace that Perfetto loads: a timeline for each agent, and counters for the whole run.

The format is Chromium's Trace Event Format (JSON). ui.perfetto.dev and its trace processor, Chromium's
viewer, Tracy and speedscope read it. Times are whole microseconds: Perfetto truncates fractions after a
floating-point multiplication, so that a slice could end after the slice around it. Slices shorter than a
microsecond are left out.

Source: "Trace Event Format", Nat Duca and Dan Sinclair; Perfetto's src/trace_processor/importers/json.
"""

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from agentdyno.analysis.ledger import NS_PER_MS, PARTS, Entry, entries
from agentdyno.analysis.metrics import KIB_PER_MIB, NS_PER_S
from agentdyno.analysis.slots import Span, lifetimes, slots
from agentdyno.files import write_bytes
from agentdyno.rundata.columns import Columns, by_task
from agentdyno.rundata.events import Attempt
from agentdyno.rundata.raw_run import RawRun, Sample


@dataclass(frozen=True, slots=True)
class Slice:
    """Something that lasted from `begin` to `end`, in ns of CLOCK_MONOTONIC; `within` are its inner slices.

    `kind` is task, attempt, phase (a part of the ledger) or moment, which has no duration.
    """

    kind: str
    name: str
    begin: int
    end: int
    facts: dict[str, Any] = field(default_factory=dict)
    within: "list[Slice]" = field(default_factory=list)


def timelines(run: RawRun) -> dict[int, list[Slice]]:
    """The tasks of each slot, one after the other.

    Slices nest and neighbours do not overlap, even where the runtime's events or two clocks contradict each
    other: then the earlier slice stays and the later one is shortened. A task and its first attempt begin at
    the due time, or when the slot became free. An attempt without a ledger has no phases.
    """
    slot_of, spans = slots(run), lifetimes(run.events)
    attempts = {
        task: sorted((run.events.attempts[at] for at in positions), key=lambda attempt: attempt.t_begin)
        for task, positions in by_task(run.events.attempts).items()
    }
    ledger = {(entry.task, entry.attempt): entry for entry in entries(run)}
    outcomes = {outcome.task: outcome for outcome in run.events.outcomes}
    found: dict[int, list[Slice]] = {slot: [] for slot in sorted(set(slot_of.values()))}
    for task in sorted(slot_of, key=lambda task: spans[task]):
        before = found[slot_of[task]]
        begin, end = spans[task]
        if (first := ledger.get((task, 1))) is not None:
            due = _due(attempts[task][0], first)
            begin = max(min(begin, due), before[-1].end if before else due)
        outcome = outcomes.get(task)
        facts = {"outcome": outcome.outcome, "reason": outcome.reason} if outcome else {}
        before.append(Slice("task", task, begin, end, facts, list(_attempts(attempts[task], ledger, begin))))
    return found


def _attempts(attempts: list[Attempt], ledger: dict[tuple[str, int], Entry], begin: int) -> Iterator[Slice]:
    """The attempts at a task that begins at `begin`."""
    for attempt in attempts:
        entry = ledger.get((attempt.task, attempt.attempt))
        if attempt.attempt > 1:
            begin = max(begin, _due(attempt, entry) if entry else attempt.t_begin)
        end = max(begin, attempt.t_end)
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


def _due(attempt: Attempt, entry: Entry) -> int:
    return attempt.t_end - round(entry.wall * NS_PER_MS)


def _phases(attempt: Attempt, entry: Entry, begin: int, end: int) -> Iterator[Slice]:
    """The parts of an attempt's ledger, limited to the attempt's slice."""
    due = _due(attempt, entry)
    for name, so_far in zip(PARTS, accumulate(getattr(entry.parts, name) for name in PARTS), strict=True):
        over = min(max(begin, due + round(so_far * NS_PER_MS)), end)
        if over > begin:
            yield Slice("phase", name, begin, over)
        begin = over


Curve = list[tuple[int, float]]
"""The moments at which a value changed, in ns of CLOCK_MONOTONIC, each with the new value."""

Counters = dict[tuple[str, str], Curve]
"""Curves by quantity and by what is counted or measured; curves without samples are empty."""


def counters(run: RawRun) -> Counters:
    """All curves of a run. Sampled curves miss peaks between two samples.

    Cores are the processor time between two samples, divided by the time between these samples. The tree is
    the runtime with its test processes.
    """
    requests, attempts, samples = run.journal.requests, run.events.attempts, run.samples
    return {
        ("requests", "in flight"): _at_once(
            (request.t_arrive, request.t_last) for request in requests if request.t_last is not None
        ),
        ("test processes", "alive"): _at_once(
            (attempt.t_started, attempt.t_exit)
            for attempt in attempts
            if attempt.t_started is not None and attempt.t_exit is not None
        ),
        ("memory", "runtime RSS MiB"): _mib(samples, "rss_kib"),
        ("memory", "tree PSS MiB"): _mib(samples, "tree_pss_kib"),
        ("cores used", "runtime"): _cores(samples, "cpu_s"),
        ("cores used", "endpoint"): _cores(samples, "endpoint_cpu_s"),
    }


def _at_once(spans: Iterable[Span]) -> Curve:
    """How many of `spans` overlap at each moment."""
    changes = [change for begin, end in spans for change in ((begin, 1), (end, -1))]
    curve: Curve = []
    count = 0
    for t, change in sorted(changes):
        count += change
        if curve and curve[-1][0] == t:
            curve.pop()
        curve.append((t, count))
    return curve


def _mib(samples: Columns[Sample], field: str) -> Curve:
    return [(t, round(kib / KIB_PER_MIB, 3)) for t, kib in samples.of("t", field) if kib is not None]


def _cores(samples: Columns[Sample], field: str) -> Curve:
    used_at = [(t, used) for t, used in samples.of("t", field) if used is not None]
    curve: Curve = [
        (t, round((used - before) * NS_PER_S / (next_t - t), 3))
        for (t, before), (next_t, used) in pairwise(used_at)
        if next_t > t
    ]
    return [*curve, (used_at[-1][0], 0.0)] if curve else []


FILE = "trace.json.gz"
PROCESS = 1 << 22
"""The trace's only process id. No track uses this number, because Perfetto would call it the main thread."""

Event = dict[str, Any]


def write_trace(run: RawRun, path: Path) -> None:
    """Write the trace of a run; a UserError says why when the file cannot be written."""
    events = ",\n".join(json.dumps(event, separators=(",", ":")) for event in trace_events(run))
    # Without a time of writing, the same run always gives the same file.
    write_bytes(path, gzip.compress(f'{{"traceEvents":[\n{events}\n]}}\n'.encode(), mtime=0))


def trace_events(run: RawRun) -> Iterator[Event]:
    """The events of a trace. A slice comes before its inner slices. Time 0 is when the runtime's program was
    executed, or its first event where that moment is unknown.
    """
    zero = next((t for t in (run.outcome.t_executed, run.events.t_start) if t is not None), 0)
    cell = run.cell
    control = f", {cell.control}" if cell.control else ""
    yield _name(
        "process_name",
        f"{cell.runtime}, {cell.agents} agents, {cell.verifier}, {cell.profile}{control}, block {run.block}",
    )
    for name, t in (("run_start", run.events.t_start), ("run_end", run.events.t_end)):
        if t is not None:
            yield {"ph": "i", "s": "p", "name": name, "cat": "run", "ts": _us(t, zero), "pid": PROCESS}
    agents = timelines(run)
    digits = len(str(len(agents)))
    for slot, tasks in agents.items():
        yield _name("thread_name", f"agent {slot + 1:0{digits}}") | {"tid": slot + 1}
        for task in tasks:
            for event in _events(task, zero):
                yield event | {"pid": PROCESS, "tid": slot + 1}
    for (what, of), curve in counters(run).items():
        for t, value in curve:
            yield {"ph": "C", "name": what, "ts": _us(t, zero), "pid": PROCESS, "args": {of: value}}


def _events(part: Slice, zero: int) -> Iterator[Event]:
    """A slice and its inner slices."""
    begin, end = _us(part.begin, zero), _us(part.end, zero)
    event = {"name": part.name, "cat": part.kind, "ts": begin, "args": part.facts}
    if part.kind == "moment":
        yield {"ph": "i", "s": "t", **event}
    elif end > begin:
        yield {"ph": "X", "dur": end - begin, **event}
    for inner in part.within:
        yield from _events(inner, zero)


def _name(of: str, name: str) -> Event:
    return {"ph": "M", "name": of, "pid": PROCESS, "args": {"name": name}}


def _us(t: int, zero: int) -> int:
    return max(0, t - zero) // 1000
