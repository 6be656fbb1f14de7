"""The change of one metric from BASE to NEW by the one rule of difference, and the threshold on it."""

import difflib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from math import comb

from agentdyno.analysis import ratio
from agentdyno.analysis.difference import CONFIDENCE, LEAST_BLOCKS, Answer, Blocks, Control, Difference
from agentdyno.analysis.ratio import Ratio
from agentdyno.analysis.registry import METRICS, Better, Kind
from agentdyno.analysis.sittings import compare_sittings
from agentdyno.analysis.statistics import median
from agentdyno.errors import UserError


class Verdict(StrEnum):
    """What a change is worth."""

    BETTER = "better"
    WORSE = "worse"
    SAME = Answer.SAME
    UNKNOWN = Answer.UNKNOWN


@dataclass(frozen=True, slots=True)
class Change:
    """One metric in BASE and in NEW.

    `base` and `new` are medians over `runs` runs each, pairs where `paired`; `ratio` is NEW over BASE, its
    interval that of the rule, and `difference` NEW less BASE, in the metric's unit. `direction` is 1 where
    NEW
    is surely more and -1 where it is surely less, 0 where neither can be told, and None with too few runs.
    """

    metric: str
    base: float | None
    new: float | None
    runs: tuple[int, int]
    paired: bool
    ratio: Ratio
    difference: float | None
    direction: int | None
    is_same: bool

    @property
    def verdict(self) -> Verdict | None:
        """None for a metric that is better neither way, or that one of the two does not have."""
        way = METRICS[self.metric].better
        if way == Better.NEITHER or self.base is None or self.new is None:
            return None
        if self.is_same:
            return Verdict.SAME
        if not self.direction:
            return Verdict.UNKNOWN
        return Verdict.BETTER if self.direction == way else Verdict.WORSE


def paired(metric: str, base: Blocks, new: Blocks, found: Difference | None, comparisons: int = 1) -> Change:
    """The change between two rows of one experiment, paired by block; `found` is what the rule says of NEW
    over BASE, None where a figure is 0 and has no ratio.
    """
    pairs = [
        (base_value, new_value)
        for block, new_value in new.items()
        if new_value is not None and (base_value := base.get(block)) is not None
    ]
    before, after = [base_value for base_value, _ in pairs], [new_value for _, new_value in pairs]
    # The blocks that have a ratio at all would not speak for those in which BASE has nothing.
    ratios = ratio.paired(new, base) if all(before) else ratio.unpaired(after, before)
    direction, is_same = _told(found, before, after, comparisons)
    return Change(
        metric,
        median(list(base.values())),
        median(list(new.values())),
        runs=(len(pairs), len(pairs)),
        paired=True,
        ratio=Ratio(ratios.median, found.ci95 if found else None, ratios.values),
        difference=median([new_value - base_value for base_value, new_value in pairs]),
        direction=direction,
        is_same=is_same,
    )


def unpaired(
    metric: str,
    base: Sequence[float | None],
    new: Sequence[float | None],
    controls: Sequence[Control],
    comparisons: int = 1,
) -> Change:
    """The change between rows of two experiments, whose runs have nothing in common but the machine;
    `comparisons` is how many rows are compared.
    """
    before, after = _there(base), _there(new)
    base_median, new_median = median(before), median(after)
    found = None
    if all(value > 0 for value in (*before, *after)):
        found = compare_sittings(before, after, controls, between_sittings(metric), comparisons)
    direction, is_same = _told(found, before, after, comparisons)
    return Change(
        metric,
        base_median,
        new_median,
        runs=(len(before), len(after)),
        paired=False,
        ratio=Ratio(ratio.quotient(new_median, base_median), found.ci95 if found else None, []),
        difference=None if base_median is None or new_median is None else new_median - base_median,
        direction=direction,
        is_same=is_same,
    )


def between_sittings(metric: str) -> float:
    """The ratio that may lie between two sittings at one machine though nothing has changed: what known pairs
    of experiments differed by (docs/method.md).
    """
    if "overhead" in metric or metric in ("start_ms", "first_request_ms", "all_begun_ms"):
        return 2.0
    return 1.6 if METRICS[metric].kind is Kind.PROCESSOR_TIME else 1.05


def _told(
    found: Difference | None, base: Sequence[float], new: Sequence[float], comparisons: int
) -> tuple[int | None, bool]:
    """The direction of a change, and whether it is surely within 5%."""
    if min(len(base), len(new)) < LEAST_BLOCKS:
        return None, False
    if found is not None and found.ci95 is not None:
        direction = {Answer.LESS: -1, Answer.MORE: 1}.get(found.answer, 0)
        return direction, found.answer is Answer.SAME
    if list(base) == list(new):
        return 0, True
    # A figure of 0 has no ratio. Whether all runs of one lie beyond all of the other is an exact rank test.
    apart = 1 if min(new) > max(base) else -1 if max(new) < min(base) else 0
    chance = 2 * comparisons / comb(len(base) + len(new), len(new))
    return None if apart and chance > 1 - CONFIDENCE else apart, False


def _there(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


SYNTAX = re.compile(
    r"\s*(?P<metric>\w+)\s*(?P<relation>[<>])\s*"
    r"(?P<sign>[+-]?)(?P<number>[0-9]{1,15}(?:\.[0-9]{1,15})?)(?P<percent>%?)\s*",
    re.ASCII,
)
EXAMPLES = "'peak_rss_mib > +5%' (a change), 'wall_s > +0.5' (in its unit) or 'errors > 0' (NEW's own figure)"


class Bound(Enum):
    """What a threshold bounds."""

    SHARE = auto()
    """The change as a share of BASE."""

    DIFFERENCE = auto()
    """The change in the metric's unit."""

    FIGURE = auto()
    """NEW's own figure."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """One limit; `above` where what is more exceeds it, else what is less. `text` is how it was given."""

    metric: str
    above: bool
    kind: Bound
    amount: float
    text: str

    def figure(self, change: Change) -> float | None:
        """What is held to the amount; None where BASE or NEW does not have it."""
        if self.kind is Bound.FIGURE:
            return change.new
        if self.kind is Bound.SHARE and change.ratio.median is not None:
            return change.ratio.median - 1
        if self.kind is Bound.SHARE and change.difference:
            return math.copysign(math.inf, change.difference)
        return change.difference

    def is_passed_by(self, change: Change) -> bool:
        """Whether the medians are beyond it, whatever chance may have done."""
        figure = self.figure(change)
        if figure is None:
            return False
        # 1.05 - 1 is more than 0.05 in binary fractions.
        beyond = figure - self.amount if self.above else self.amount - figure
        return beyond > 1e-9 * max(1.0, abs(self.amount))

    def is_exceeded_by(self, change: Change) -> bool:
        """Whether a build must fail.

        The medians must be beyond it, and they alone decide where a figure, or that something gets better, is
        demanded. A threshold on getting worse is exceeded only by a difference that the rule tells apart,
        where there are runs enough to tell.
        """
        if not self.is_passed_by(change):
            return False
        if self.kind is Bound.FIGURE or (self.amount < 0 if self.above else self.amount > 0):
            return True
        return change.direction is None or change.direction == (1 if self.above else -1)


def parse(text: str) -> Threshold:
    """The limit that `METRIC > +5%` and the like mean; a UserError says what is wrong with it."""
    found = SYNTAX.fullmatch(text)
    if found is None:
        raise UserError(
            f"--fail-if {text!r}: give a metric, > or <, and a number with its sign, as in {EXAMPLES}"
        )
    metric, above = found["metric"], found["relation"] == ">"
    if metric not in METRICS:
        near = difflib.get_close_matches(metric, METRICS, n=3)
        raise UserError(
            f"--fail-if {text!r}: no metric is called {metric}; "
            + (f"did you mean {' or '.join(near)}?" if near else "docs/measuring.md names them")
        )
    if found["percent"] and not found["sign"]:
        raise UserError(
            f"--fail-if {text!r}: a percentage is a change and takes a sign; "
            f"write '{metric} {found['relation']} {'+' if above else '-'}{found['number']}%'"
        )
    way = METRICS[metric].better
    if way != Better.NEITHER and above == (way > 0):
        raise UserError(
            f"--fail-if {text!r}: {'more' if way > 0 else 'less'} {metric} is better; "
            f"write '{metric} {'<' if above else '>'} …'"
        )
    amount = float(found["sign"] + found["number"])
    if found["percent"]:
        return Threshold(metric, above, Bound.SHARE, amount / 100, text.strip())
    kind = Bound.DIFFERENCE if found["sign"] else Bound.FIGURE
    return Threshold(metric, above, kind, amount, text.strip())
