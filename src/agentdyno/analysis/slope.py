"""The marginal memory of one more agent: the slope of a line through memory against agents."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

LEAST_POINTS = 3
CONFIDENCE = 0.95


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
