"""What changed over a run, as curves."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from agentdyno.analysis.metrics import KIB_PER_MIB, NS_PER_S
from agentdyno.analysis.slots import Span
from agentdyno.rundata.raw_run import RawRun

Curve = list[tuple[int, float]]
"""What a value was from when on, in ns of CLOCK_MONOTONIC."""

Counters = dict[tuple[str, str], Curve]
"""Curves by what they show and of what; those that nothing was sampled for are empty."""


def counters(run: RawRun) -> Counters:
    """All curves of a run. What was sampled is as good as its samples: what peaked between two is not seen.

    Cores are processor time by the time it was used in, from one look to the next. The tree is the runtime
    with its test processes.
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
    """How many there were at a time."""
    changes = [change for begin, end in spans for change in ((begin, 1), (end, -1))]
    curve: Curve = []
    count = 0
    for t, change in sorted(changes):
        count += change
        if curve and curve[-1][0] == t:
            curve.pop()
        curve.append((t, count))
    return curve


def _mib(samples: Sequence[dict[str, Any]], field: str) -> Curve:
    return [
        (sample["t"], round(sample[field] / KIB_PER_MIB, 3))
        for sample in samples
        if sample[field] is not None
    ]


def _cores(samples: Sequence[dict[str, Any]], field: str) -> Curve:
    looks = [(sample["t"], sample[field]) for sample in samples if sample[field] is not None]
    curve: Curve = [
        (t, round((used - before) * NS_PER_S / (next_t - t), 3))
        for (t, before), (next_t, used) in pairwise(looks)
        if next_t > t
    ]
    return [*curve, (looks[-1][0], 0.0)] if curve else []
