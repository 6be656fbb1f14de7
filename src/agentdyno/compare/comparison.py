"""Everything that a comparison found, in whichever form it is written, with the judgement of each limit."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from agentdyno.analysis.registry import METRICS
from agentdyno.compare.change import Bound, Change, Threshold
from agentdyno.compare.pairs import Pair, Pairing
from agentdyno.format import counted, relative
from agentdyno.results.summary import Metric, named


@dataclass(frozen=True, slots=True)
class Judgement:
    """One limit and one row: whether it was judged at all, whether the build may pass, and why."""

    limit: Threshold
    row: str
    judged: bool
    kept: bool
    says: str

    @property
    def line(self) -> str:
        """As it is printed, in one line."""
        return f"{'kept' if self.kept else 'FAILED'} {self.limit.text}: {self.row}: {self.says}"


def judgements(limits: Sequence[Threshold], pairing: Pairing) -> list[Judgement]:
    """Each limit on each row; what cannot be judged is not kept."""
    return [
        judgement
        for limit in limits
        for judgement in (
            *(_judge(limit, pair) for pair in pairing.pairs),
            *(_unjudged(limit, row, "the row is gone from NEW") for row in pairing.gone),
        )
    ]


def _judge(limit: Threshold, pair: Pair) -> Judgement:
    if reason := _hindrance(limit, pair):
        return _unjudged(limit, pair.name, reason)
    change = pair.changes[limit.metric]
    exceeded = limit.is_exceeded_by(change)
    says = f"{_measured(limit, change, pair.new.metrics[limit.metric])}{_caveat(limit, change, exceeded)}"
    return Judgement(limit, pair.name, judged=True, kept=not exceeded, says=says)


def _unjudged(limit: Threshold, row: str, reason: str) -> Judgement:
    return Judgement(limit, row, judged=False, kept=False, says=f"cannot be judged: {reason}")


def _hindrance(limit: Threshold, pair: Pair) -> str | None:
    sides = {"NEW": pair.new} if limit.kind is Bound.FIGURE else {"BASE": pair.base, "NEW": pair.new}
    kind = METRICS[limit.metric].kind
    for side, row in sides.items():
        fault = next((each for each in row.failures if each.is_fault and kind in each.kinds), None)
        if fault is not None:
            return f"{side} has a fault: {fault.line}"
    for side, row in sides.items():
        if row.metrics[limit.metric].median is None:
            return f"{side} has no {limit.metric}"
    if limit.kind is not Bound.FIGURE and pair.unlike(limit.metric):
        return "BASE and NEW were measured by different methods"
    if limit.figure(pair.changes[limit.metric]) is None:
        return "BASE and NEW have no block in common"
    return None


def _measured(limit: Threshold, change: Change, new: Metric) -> str:
    metric = METRICS[limit.metric]
    if limit.kind is Bound.FIGURE:
        within = f" ({metric.interval(new.ci95)})" if new.ci95 else ""
        return f"{metric.with_unit(change.new)}{within}"
    moved = f"{metric.shown(change.base)} → {metric.with_unit(change.new)}"
    found = limit.figure(change)
    if limit.kind is Bound.SHARE and found is not None:
        # The median of the pairs' ratios is not the ratio of the medians.
        moved += f", by block {relative(found)}" if change.paired else f", {relative(found)}"
    if change.ratio.ci95 is not None:
        low, high = change.ratio.ci95
        moved += f" ({relative(low - 1)} to {relative(high - 1)})"
    return moved


def _caveat(limit: Threshold, change: Change, exceeded: bool) -> str:
    """What a reader should know of how it was judged."""
    if limit.kind is Bound.FIGURE:
        return ""
    base, new = change.runs
    said = f"; by the medians alone, {base} against {counted(new, 'run')}" if change.direction is None else ""
    if exceeded or not limit.is_passed_by(change):
        return said
    return f"{said}; beyond the threshold, but the difference cannot be told from noise"


SHOWN = (
    "peak_rss_mib",
    "tree_peak_pss_mib",
    "cpu_s_per_task",
    "overhead_ms_p50",
    "overhead_ms_p95",
    "overhead_ms_p99",
    "steady_overhead_ms_p99",
    "all_begun_ms",
    "wall_s",
    "steady_tasks_per_s",
    "pass_rate",
    "errors",
)
"""What is shown unless more is asked for; a limit's metric is shown besides."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`base` and `new` are what was compared, in a line each.

    `obstacles` are why the two are not comparable, where that was overridden; `remarks` what a reader should
    know besides; `metrics` are shown.
    """

    base: str
    new: str
    pairs: list[Pair]
    metrics: Sequence[str]
    obstacles: list[str]
    remarks: list[str]
    judgements: list[Judgement]

    @property
    def kept(self) -> bool:
        """Whether every limit was."""
        return all(judgement.kept for judgement in self.judgements)

    @property
    def mark(self) -> str:
        """What the names of rows begin with in files that hold nothing but names and figures."""
        if not self.obstacles:
            return ""
        return f"NOT COMPARABLE ({', '.join(reason.partition(':')[0] for reason in self.obstacles)}) "

    def shown(self, pair: Pair) -> list[str]:
        """The metrics that are shown of a pair: those that both have, taken by one method."""
        return [
            metric
            for metric in self.metrics
            if None not in (pair.changes[metric].base, pair.changes[metric].new) and not pair.unlike(metric)
        ]


SCHEMA_VERSION = 2


def document(found: Comparison) -> dict[str, Any]:
    """Everything, of every metric that either row has; figures are not rounded."""
    return {
        "schema_version": SCHEMA_VERSION,
        "base": found.base,
        "new": found.new,
        "kept": found.kept,
        "not_comparable": found.obstacles,
        "remarks": found.remarks,
        "pairs": [_pair(pair) for pair in found.pairs],
        "limits": [
            {
                "limit": judgement.limit.text,
                "row": judgement.row,
                "judged": judgement.judged,
                "kept": judgement.kept,
                "says": judgement.says,
            }
            for judgement in found.judgements
        ],
    }


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "base": named(pair.base.cell),
        "new": named(pair.new.cell),
        "metrics": {
            metric: {
                "unit": pair.new.metrics[metric].unit,
                "base": its.base,
                "new": its.new,
                "runs": its.runs,
                "paired": its.paired,
                "ratio": asdict(its.ratio),
                "difference": its.difference,
                "verdict": its.verdict,
            }
            for metric, its in pair.changes.items()
            if not pair.unlike(metric) and (its.base, its.new) != (None, None)
        },
    }
