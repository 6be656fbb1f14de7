"""How far a metric may change before a build fails."""

import difflib
import math
import re
from dataclasses import dataclass
from enum import Enum, auto

from agentdyno.analysis.registry import METRICS, Better
from agentdyno.compare.change import Change
from agentdyno.errors import UserError

SYNTAX = re.compile(
    r"\s*(?P<metric>\w+)\s*(?P<relation>[<>])\s*"
    r"(?P<sign>[+-]?)(?P<number>[0-9]{1,15}(?:\.[0-9]{1,15})?)(?P<percent>%?)\s*",
    re.ASCII,
)
EXAMPLES = "'peak_rss_mib > +5%' (a change), 'wall_s > +0.5' (in its unit) or 'errors > 0' (NEW's own figure)"


class Kind(Enum):
    """What a limit holds to its amount."""

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
    kind: Kind
    amount: float
    text: str

    def figure(self, change: Change) -> float | None:
        """What is held to the amount; None where BASE or NEW does not have it."""
        if self.kind is Kind.FIGURE:
            return change.new
        if self.kind is Kind.SHARE and change.ratio.median is not None:
            return change.ratio.median - 1
        if self.kind is Kind.SHARE and change.difference:
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
        if self.kind is Kind.FIGURE or (self.amount < 0 if self.above else self.amount > 0):
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
        return Threshold(metric, above, Kind.SHARE, amount / 100, text.strip())
    kind = Kind.DIFFERENCE if found["sign"] else Kind.FIGURE
    return Threshold(metric, above, kind, amount, text.strip())
