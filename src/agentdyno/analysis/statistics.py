"""Percentiles, medians and intervals."""

import math
import statistics
from collections.abc import Sequence
from functools import cache
from typing import Any

BOOTSTRAP_SEED = 0
CONFIDENCE = 0.95
LEAST_REPLICATES = 3
"""Fewer runs than this have no interval worth the name."""

FEW = 5
"""The range of so many runs or fewer holds their median in fewer than 95 cases of 100."""


def percentile(samples: Sequence[float], share: float) -> float | None:
    """The value below which `share` of the samples lie, interpolated (Hyndman and Fan's type 7).

    None when the samples are too few for one of them to be expected beyond it: p95 takes 20 samples, p99
    takes 100.
    """
    if len(samples) < math.ceil(1 / (1 - share) - 1e-9):
        return None
    ordered = sorted(samples)
    position = share * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def median(values: Sequence[float | None]) -> float | None:
    """The median of the values that are there."""
    there = [value for value in values if value is not None]
    return statistics.median(there) if there else None


def interval(values: Sequence[float | None]) -> tuple[float, float] | None:
    """A 95% interval of what runs come to, the run being the replicate; None for too few runs.

    A percentile bootstrap of the median, and up to `FEW` runs Student's t, of logarithms where it can: the
    range of three runs, beyond which no bootstrap of them goes, holds their median in three cases of four
    only (1 - 2 / 2^3).
    """
    # SciPy cannot take quantiles of whole numbers, and counts are such.
    there = tuple(float(value) for value in values if value is not None)
    if len(there) < LEAST_REPLICATES:
        return None
    if min(there) == max(there):
        return there[0], there[0]
    if len(there) > FEW:
        return _bootstrapped(there)
    if min(there) <= 0:
        return _students(statistics.fmean(there), [there])
    logarithms = [math.log(value) for value in there]
    low, high = _students(statistics.fmean(logarithms), [logarithms])
    return math.exp(low), math.exp(high)


def interval_of_ratio(values: Sequence[float], others: Sequence[float]) -> tuple[float, float] | None:
    """The same of the ratio of two medians, each of whose runs are drawn by themselves; all above 0."""
    if min(len(values), len(others)) < LEAST_REPLICATES or min(*values, *others) <= 0:
        return None
    if min(values) == max(values) and min(others) == max(others):
        return values[0] / others[0], values[0] / others[0]
    if min(len(values), len(others)) > FEW:
        return _bootstrapped(tuple(map(float, values)), tuple(map(float, others)))
    logarithms = [[math.log(value) for value in sample] for sample in (values, others)]
    difference = statistics.fmean(logarithms[0]) - statistics.fmean(logarithms[1])
    low, high = _students(difference, logarithms)
    return math.exp(low), math.exp(high)


@cache
def _quantile(degrees: float) -> float:
    # SciPy takes a second to import, which commands that need no interval should not pay.
    from scipy.stats import t

    return float(t.ppf((1 + CONFIDENCE) / 2, degrees))


def _students(middle: float, samples: Sequence[Sequence[float]]) -> tuple[float, float]:
    """The interval of a mean, or of the difference of two whose spreads may differ (Welch, 1947)."""
    errors = [statistics.variance(sample) / len(sample) for sample in samples]
    spread = sum(error**2 / (len(sample) - 1) for error, sample in zip(errors, samples, strict=True))
    half = _quantile(sum(errors) ** 2 / spread) * math.sqrt(sum(errors)) if spread else 0.0
    return middle - half, middle + half


# A row's values are the same after each further run of other rows.
@cache
def _bootstrapped(*samples: tuple[float, ...]) -> tuple[float, float]:
    """Of the median of one sample, or of the first's median over the second's."""
    import numpy as np
    from scipy.stats import bootstrap

    def ratio(values: Any, others: Any, axis: int) -> Any:
        return np.median(values, axis=axis) / np.median(others, axis=axis)

    found = bootstrap(
        samples,
        np.median if len(samples) == 1 else ratio,
        method="percentile",
        confidence_level=CONFIDENCE,
        rng=BOOTSTRAP_SEED,
    ).confidence_interval
    return float(found.low), float(found.high)
