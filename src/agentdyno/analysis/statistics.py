"""Percentiles, medians, confidence intervals, and the slope of memory against agents."""

import math
import statistics
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, combinations
from typing import Any

LEAST_POINTS = 3


@dataclass(frozen=True, slots=True)
class Slope:
    """Peak memory = `intercept_mib` + agents × `kib_per_agent`; `ci95` is the 95% CI of the slope, in KiB."""

    kib_per_agent: float
    ci95: tuple[float, float]
    intercept_mib: float


def slope(agents: Sequence[int], peak_mib: Sequence[float]) -> Slope | None:
    """The line through runs at several numbers of agents; None for fewer than three different numbers.

    The Theil-Sen estimator: the median of the slopes of all pairs of points, which an outlier hardly moves,
    with its confidence interval (P. K. Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau",
    JASA 63, 1968).
    """
    if len(set(agents)) < LEAST_POINTS:
        return None
    # The import of SciPy takes a second, so only commands that need a slope import it.
    import numpy
    from scipy.stats import theilslopes

    with numpy.errstate(invalid="ignore"):
        found = theilslopes(peak_mib, agents, alpha=CONFIDENCE)
    low, high = float(found.low_slope), float(found.high_slope)
    if math.isnan(low):
        # With many equal numbers of agents or equal peaks, the formula's variance is negative. The range of
        # the slopes of all pairs is the widest possible interval.
        points = combinations(zip(agents, peak_mib, strict=True), 2)
        slopes = [(y - y_0) / (x - x_0) for (x_0, y_0), (x, y) in points if x != x_0]
        low, high = min(slopes), max(slopes)
    return Slope(
        kib_per_agent=float(found.slope) * 1024,
        ci95=(low * 1024, high * 1024),
        intercept_mib=float(found.intercept),
    )


BOOTSTRAP_SEED = 0
CONFIDENCE = 0.95
LEAST_REPLICATES = 3
"""Fewer runs than this have no useful interval."""

FEW = 5
"""The range of this many runs or fewer contains the true median in fewer than 95 of 100 experiments."""


def percentile(samples: Sequence[float], share: float) -> float | None:
    """The value below which `share` of the samples lie, interpolated (Hyndman and Fan's type 7).

    None with too few samples to expect one above the percentile: a p95 needs 20 samples, a p99 needs 100.
    """
    return _interpolated(sorted(samples).__getitem__, len(samples), share)


def percentile_of_counts(counts: Mapping[float, int], share: float) -> float | None:
    """`percentile` of samples of which each value came so many times."""
    values = sorted(counts)
    until = list(accumulate(counts[value] for value in values))
    return _interpolated(lambda number: values[bisect_right(until, number)], sum(counts.values()), share)


def _interpolated(ordered: Callable[[int], float], count: int, share: float) -> float | None:
    """The percentile of `count` samples; `ordered` returns the one of a number, by size, from 0."""
    if count < math.ceil(1 / (1 - share) - 1e-9):
        return None
    position = share * (count - 1)
    below = math.floor(position)
    low, high = ordered(below), ordered(min(below + 1, count - 1))
    return low + (high - low) * (position - below)


def median(values: Sequence[float | None]) -> float | None:
    """The median of the values that are not None; None without any."""
    there = [value for value in values if value is not None]
    return statistics.median(there) if there else None


def interval(values: Sequence[float | None]) -> tuple[float, float] | None:
    """The 95% CI over runs, with the run as the replicate; None with too few runs.

    More than `FEW` runs: a percentile bootstrap of the median. Up to `FEW` runs: Student's t, on logarithms
    if all values are positive. A bootstrap cannot exceed the range of the values, and the range of three runs
    contains the true median in only three of four experiments (1 - 2 / 2^3).
    """
    # SciPy cannot compute quantiles of integers, and counts are integers.
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
    """The 95% CI of the ratio of two medians over independent runs; None with too few runs or values <= 0."""
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
def student_quantile(degrees: float) -> float:
    """How many standard errors a two-sided interval at CONFIDENCE reaches to either side (Student's t)."""
    # The import of SciPy takes a second, so only commands that need an interval import it.
    from scipy.stats import t

    return float(t.ppf((1 + CONFIDENCE) / 2, degrees))


def _students(middle: float, samples: Sequence[Sequence[float]]) -> tuple[float, float]:
    """The CI of a mean, or of the difference of two means whose variances may differ (Welch, 1947)."""
    errors = [statistics.variance(sample) / len(sample) for sample in samples]
    spread = sum(error**2 / (len(sample) - 1) for error, sample in zip(errors, samples, strict=True))
    half = student_quantile(sum(errors) ** 2 / spread) * math.sqrt(sum(errors)) if spread else 0.0
    return middle - half, middle + half


# Cached, because a row's values do not change when other rows get further runs.
@cache
def _bootstrapped(*samples: tuple[float, ...]) -> tuple[float, float]:
    """The CI of the median of one sample, or of the ratio of the medians of two."""
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
