"""The rule of difference between two experiments, which have nothing in common but the machine."""

import math
from collections.abc import Sequence
from statistics import median

from agentdyno.analysis.difference import (
    CONFIDENCE,
    LEAST_BLOCKS,
    Control,
    Difference,
    aa_noise,
    above_0,
    difference,
    exponential,
    spread_of,
    student,
)


def compare_sittings(
    base: Sequence[float | None],
    new: Sequence[float | None],
    controls: Sequence[Control],
    between_sittings: float,
    comparisons: int,
) -> Difference | None:
    """NEW over BASE, of two experiments whose runs have nothing in common but the machine; None where a
    figure is missing everywhere.

    Welch's t with Bonferroni's correction for the number of rows compared. The interval is widened by the
    larger of the A/A differences, and by the ratio `between_sittings`, which may lie between two sittings at
    one machine though no row has changed.
    """
    before, after = ([math.log(value) for value in values if value and value > 0] for values in (base, new))
    if not before or not after:
        return None
    if min(len(before), len(after)) < LEAST_BLOCKS:
        return Difference(exponential(median(after) - median(before)), None)
    spreads = [spread_of(before), spread_of(after)]
    errors = [spread.variance / spread.kept for spread in spreads]
    total = sum(errors)
    freedom = total**2 / sum(
        error**2 / (spread.kept - 1) for error, spread in zip(errors, spreads, strict=True)
    )
    mean = spreads[1].mean - spreads[0].mean
    noise = max((_own_noise(control) for control in controls), default=0.0)
    tail = (1 - CONFIDENCE) / (2 * max(comparisons, 1))
    return difference(
        mean, student(1 - tail, freedom) * math.sqrt(total) + noise + math.log(between_sittings)
    )


def _own_noise(control: Control) -> float:
    of, figures = above_0(control.of), above_0(control.figures)
    shared = sorted(of.keys() & figures.keys())
    if len(shared) < LEAST_BLOCKS:
        return 0.0
    return aa_noise(spread_of([math.log(figures[block] / of[block]) for block in shared]), 0.0, 0.0)
