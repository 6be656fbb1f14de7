"""Limits held against every pair of rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from agentdyno.analysis.registry import METRICS
from agentdyno.compare.change import Change
from agentdyno.compare.pairs import Pair, Pairing
from agentdyno.compare.threshold import Kind, Threshold
from agentdyno.format import counted, relative
from agentdyno.results.summary import Metric


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
    sides = {"NEW": pair.new} if limit.kind is Kind.FIGURE else {"BASE": pair.base, "NEW": pair.new}
    for side, row in sides.items():
        fault = next((failure for failure in row.failures if failure.is_fault), None)
        if fault is not None:
            return f"{side} has a fault: {fault.line}"
    for side, row in sides.items():
        if row.metrics[limit.metric].median is None:
            return f"{side} has no {limit.metric}"
    if limit.kind is not Kind.FIGURE and pair.unlike(limit.metric):
        return "BASE and NEW were measured by different methods"
    if limit.figure(pair.changes[limit.metric]) is None:
        return "BASE and NEW have no block in common"
    return None


def _measured(limit: Threshold, change: Change, new: Metric) -> str:
    metric = METRICS[limit.metric]
    if limit.kind is Kind.FIGURE:
        within = f" ({metric.interval(new.ci95)})" if new.ci95 else ""
        return f"{metric.with_unit(change.new)}{within}"
    moved = f"{metric.shown(change.base)} → {metric.with_unit(change.new)}"
    found = limit.figure(change)
    if limit.kind is Kind.SHARE and found is not None:
        # The median of the pairs' ratios is not the ratio of the medians.
        moved += f", by block {relative(found)}" if change.paired else f", {relative(found)}"
    if change.ratio.ci95 is not None:
        low, high = change.ratio.ci95
        moved += f" ({relative(low - 1)} to {relative(high - 1)})"
    return moved


def _caveat(limit: Threshold, change: Change, exceeded: bool) -> str:
    """What a reader should know of how it was judged."""
    if limit.kind is Kind.FIGURE:
        return ""
    base, new = change.runs
    said = f"; by the medians alone, {base} against {counted(new, 'run')}" if change.direction is None else ""
    if exceeded or not limit.is_passed_by(change):
        return said
    return f"{said}; beyond the threshold, but the difference cannot be told from noise"
