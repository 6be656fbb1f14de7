"""The rule of difference between two experiments, which have nothing in common but the machine."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from agentdyno.analysis.difference import (
    CONFIDENCE,
    LEAST_BLOCKS,
    Control,
    Difference,
    Key,
    aa_noise,
    above_0,
    difference,
    spread_of,
    student,
)


@dataclass(frozen=True, slots=True)
class Sitting:
    """What may change between two sittings at one machine without any row having changed, as a ratio.

    Known pairs of experiments showed memory and wall time within 5%, processor time within 1.6 times and
    overhead within twice.
    """

    ratio: float

    @property
    def log(self) -> float:
        """The same as a difference of logarithms."""
        return math.log(self.ratio)


def compare_sittings(
    base: Sequence[float | None],
    new: Sequence[float | None],
    controls: Sequence[Control[Key]],
    sitting: Sitting,
    comparisons: int,
) -> Difference | None:
    """NEW over BASE, of two experiments whose runs have nothing in common but the machine; None where a
    figure is missing everywhere.

    Welch's t with Bonferroni's correction for the number of rows compared, widened by the larger of the A/A
    differences and by what two sittings differ by.
    """
    before, after = ([math.log(value) for value in values if value and value > 0] for values in (base, new))
    if not before or not after:
        return None
    if min(len(before), len(after)) < LEAST_BLOCKS:
        return Difference(math.exp(median(after) - median(before)), None)
    spreads = [spread_of(before), spread_of(after)]
    errors = [spread.variance / spread.kept for spread in spreads]
    total = sum(errors)
    freedom = total**2 / sum(
        error**2 / (spread.kept - 1) for error, spread in zip(errors, spreads, strict=True)
    )
    mean = spreads[1].mean - spreads[0].mean
    noise = max((_own_noise(control) for control in controls), default=0.0)
    tail = (1 - CONFIDENCE) / (2 * max(comparisons, 1))
    return difference(mean, student(1 - tail, freedom) * math.sqrt(total) + noise + sitting.log)


def _own_noise(control: Control[Key]) -> float:
    of, figures = above_0(control.of), above_0(control.figures)
    shared = sorted(of.keys() & figures.keys())
    if len(shared) < LEAST_BLOCKS:
        return 0.0
    return aa_noise(spread_of([math.log(figures[block] / of[block]) for block in shared]), 0.0, 0.0)
