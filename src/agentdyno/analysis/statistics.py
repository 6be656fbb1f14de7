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
    """A 95% percentile-bootstrap interval of the median, the run being the replicate; None for too few runs.

    With three runs it is close to their range: an honest picture of how little three runs know.
    """
    # SciPy cannot take quantiles of whole numbers, and counts are such.
    there = tuple(float(value) for value in values if value is not None)
    if len(there) < LEAST_REPLICATES:
        return None
    if min(there) == max(there):
        return there[0], there[0]
    return _bootstrapped(there)


def interval_of_ratio(values: Sequence[float], others: Sequence[float]) -> tuple[float, float]:
    """The same of the ratio of two medians, each of whose runs are drawn by themselves.

    There must be runs enough of both, and `others` be above 0.
    """
    if min(values) == max(values) and min(others) == max(others):
        return values[0] / others[0], values[0] / others[0]
    return _bootstrapped(tuple(map(float, values)), tuple(map(float, others)))


# A row's values are the same after each further run of other rows.
@cache
def _bootstrapped(*samples: tuple[float, ...]) -> tuple[float, float]:
    """Of the median of one sample, or of the first's median over the second's."""
    # SciPy takes a second to import, which commands that need no interval should not pay.
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
