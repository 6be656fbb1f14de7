"""What became of one metric from BASE to NEW, and how sure that is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from agentdyno.analysis import ratio
from agentdyno.analysis.better import NEITHER, better
from agentdyno.analysis.controls import Comparison
from agentdyno.analysis.ratio import Ratio
from agentdyno.analysis.statistics import FEW, LEAST_REPLICATES, median
from agentdyno.rundata.cell import AA_CONTROL


class Verdict(StrEnum):
    """What a change is worth."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "no difference"
    UNKNOWN = "too few runs"


@dataclass(frozen=True, slots=True)
class Change:
    """One metric in BASE and in NEW.

    `base` and `new` are medians over `runs` runs each, pairs where `paired`; `ratio` is NEW over BASE and
    `difference` NEW less BASE, in the metric's unit. `direction` is 1 where NEW is more and -1 where it is
    less by more than chance would do, 0 where it is neither, and None with too few runs to tell. `itself` is
    how many times itself a runtime was in the A/A controls at most, None where there are none.
    """

    metric: str
    base: float | None
    new: float | None
    runs: tuple[int, int]
    paired: bool
    ratio: Ratio
    difference: float | None
    direction: int | None
    itself: float | None

    @property
    def verdict(self) -> Verdict | None:
        """None for a metric that is better neither way, or that one of the two does not have."""
        way = better(self.metric)
        if way == NEITHER or self.base is None or self.new is None:
            return None
        if self.direction is None:
            return Verdict.UNKNOWN
        if self.direction == 0:
            return Verdict.SAME
        return Verdict.BETTER if self.direction == way else Verdict.WORSE

    @property
    def is_within_itself(self) -> bool:
        """Whether a runtime differed from itself by as much."""
        if self.itself is None or self.ratio.median is None:
            return False
        return 1 / self.itself <= self.ratio.median <= self.itself


def paired(
    metric: str,
    base: Mapping[int, float | None],
    new: Mapping[int, float | None],
    controls: Iterable[Comparison],
) -> Change:
    """The change between two rows of one experiment, paired by block."""
    pairs = [
        (base_value, new_value)
        for block, new_value in new.items()
        if new_value is not None and (base_value := base.get(block)) is not None
    ]
    before, after = [base_value for base_value, _ in pairs], [new_value for _, new_value in pairs]
    return Change(
        metric,
        median(list(base.values())),
        median(list(new.values())),
        runs=(len(pairs), len(pairs)),
        paired=True,
        # The blocks that have a ratio at all would not speak for those in which BASE has nothing.
        ratio=(found := ratio.paired(new, base) if all(before) else ratio.unpaired(after, before)),
        difference=median([new_value - base_value for base_value, new_value in pairs]),
        direction=_direction(found, before, after),
        itself=_itself(metric, controls),
    )


def unpaired(
    metric: str,
    base: Sequence[float | None],
    new: Sequence[float | None],
    controls: Iterable[Comparison],
) -> Change:
    """The change between rows of two experiments, whose runs have nothing in common but the machine."""
    base_there, new_there = _there(base), _there(new)
    before, after = median(base_there), median(new_there)
    return Change(
        metric,
        before,
        after,
        runs=(len(base_there), len(new_there)),
        paired=False,
        ratio=(found := ratio.unpaired(new, base)),
        difference=None if before is None or after is None else after - before,
        direction=_direction(found, base_there, new_there),
        itself=_itself(metric, controls),
    )


def _direction(its: Ratio, base: Sequence[float], new: Sequence[float]) -> int | None:
    if min(len(base), len(new)) < LEAST_REPLICATES:
        return None
    if its.ci95 is not None:
        return 1 if its.ci95[0] > 1 else -1 if its.ci95[1] < 1 else 0
    # There is no ratio to nothing: all runs of one must be beyond all of the other.
    return 1 if min(new) > max(base) else -1 if max(new) < min(base) else 0


def _itself(metric: str, controls: Iterable[Comparison]) -> float | None:
    """The farthest of a runtime's ratios to itself; of many, the far end of their interval."""
    ratios = [
        found.ratios[metric] for found in controls if found.control == AA_CONTROL and metric in found.ratios
    ]
    ends = [
        end
        for its in ratios
        for end in (its.ci95 if its.ci95 and len(its.values) > FEW else its.values)
        if end
    ]
    return max((max(end, 1 / end) for end in ends), default=None)


def _there(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]
