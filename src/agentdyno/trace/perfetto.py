"""A run as a trace that Perfetto loads.

The format is Chromium's Trace Event Format (JSON). ui.perfetto.dev and its trace processor, Chromium's
viewer, Tracy and speedscope read it. Times are whole microseconds: Perfetto truncates fractions after a
floating-point multiplication, so that a slice could end after the slice around it. Slices shorter than a
microsecond are left out.

Source: "Trace Event Format", Nat Duca and Dan Sinclair; Perfetto's src/trace_processor/importers/json.
"""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agentdyno.files import write_bytes
from agentdyno.rundata.raw_run import RawRun
from agentdyno.trace.tracks import Slice, counters, timelines

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
