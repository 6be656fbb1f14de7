"""The utilisation of the processors while attempts waited."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from agentdyno.analysis.ledger import NS_PER_MS, PARTS, Entry
from agentdyno.analysis.slots import Span
from agentdyno.rundata.raw_run import RawRun

LEAST_SAMPLES = 3
"""Waits with fewer samples are too short to separate their utilisation from that before and after."""


@dataclass(frozen=True, slots=True)
class Utilisation:
    """Mean utilisation over the waits, in cores; `cores` is how many exist, `threads` the runtime's maximum.

    `tools` is an estimate: test processes are not sampled, so each one alive counts with the average of all.
    """

    runtime: float
    endpoint: float
    tools: float
    cores: int
    threads: int

    @property
    def total(self) -> float:
        """The sum, in cores."""
        return self.runtime + self.endpoint + self.tools


@dataclass(slots=True)
class _Curve:
    """A growing quantity, known at some moments and interpolated linearly between them."""

    times: list[int]
    values: list[float]

    def at(self, t: int) -> float:
        after = bisect_left(self.times, t)
        if after == 0:
            return self.values[0]
        if after == len(self.times):
            return self.values[-1]
        t_0, t_1 = self.times[after - 1], self.times[after]
        before, grown = self.values[after - 1], self.values[after] - self.values[after - 1]
        return before + grown * (t - t_0) / (t_1 - t_0)

    def over(self, spans: Sequence[Span]) -> float:
        """The growth in the spans; where spans overlap, the growth counts once for each."""
        return sum(self.at(end) - self.at(begin) for begin, end in spans)


def span(entry: Entry, part: str, t_end: int) -> Span:
    """The span of `part` in an attempt that ended at `t_end`; the parts follow each other."""
    before = sum(getattr(entry.parts, name) for name in PARTS[: PARTS.index(part)])
    begin = t_end - round((entry.wall - before) * NS_PER_MS)
    return begin, begin + round(getattr(entry.parts, part) * NS_PER_MS)


def utilisation(run: RawRun, spans: Sequence[Span]) -> Utilisation | None:
    """The utilisation in `spans`; None with too few samples."""
    samples = [sample for sample in run.samples if sample.get("endpoint_cpu_s") is not None]
    times = [sample["t"] for sample in samples]
    looks = {
        look for begin, end in spans for look in range(bisect_left(times, begin), bisect_right(times, end))
    }
    if len(looks) < LEAST_SAMPLES:
        return None
    seconds = sum(end - begin for begin, end in spans) / 1e9
    return Utilisation(
        runtime=_Curve(times, [sample["cpu_s"] for sample in samples]).over(spans) / seconds,
        endpoint=_Curve(times, [sample["endpoint_cpu_s"] for sample in samples]).over(spans) / seconds,
        tools=_tools(run, spans) / seconds,
        cores=run.outcome.cores,
        threads=max(sample["threads"] for sample in samples),
    )


def _tools(run: RawRun, spans: Sequence[Span]) -> float:
    """An estimate of the processor time in seconds that test processes used in `spans`."""
    changes = sorted(
        change
        for attempt in run.events.attempts
        if attempt.t_started is not None and attempt.t_exit is not None
        for change in ((attempt.t_started, 1), (attempt.t_exit, -1))
    )
    if not changes or not run.outcome.tools_cpu_s:
        return 0.0
    lived = _Curve([], [])
    alive, total, since = 0, 0.0, changes[0][0]
    for t, change in changes:
        total += alive * (t - since)
        alive, since = alive + change, t
        lived.times.append(t)
        lived.values.append(total)
    return run.outcome.tools_cpu_s * lived.over(spans) / total if total else 0.0
