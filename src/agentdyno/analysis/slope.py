"""What one more agent costs: a line through memory against agents."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

LEAST_POINTS = 3
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Slope:
    """Peak memory = `intercept_mib` + agents × `kib_per_agent`; `ci95` is of the slope, in KiB."""

    kib_per_agent: float
    ci95: tuple[float, float]
    intercept_mib: float


def slope(agents: Sequence[int], peak_mib: Sequence[float]) -> Slope | None:
    """The line through runs at several numbers of agents; None for fewer than three of these.

    The Theil-Sen estimator: the median of the slopes of all pairs of points, which a run that is off cannot
    move far (P. K. Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau", JASA 63, 1968,
    which the interval is from as well).
    """
    if len(set(agents)) < LEAST_POINTS:
        return None
    # SciPy takes a second to import, which commands that need no slope should not pay.
    import numpy
    from scipy.stats import theilslopes

    with numpy.errstate(invalid="ignore"):
        found = theilslopes(peak_mib, agents, alpha=CONFIDENCE)
    low, high = float(found.low_slope), float(found.high_slope)
    if math.isnan(low):
        # So many runs have the same number of agents or the same peak that the formula ends at a variance
        # below 0. The slopes of all pairs are the widest that the interval can be.
        points = combinations(zip(agents, peak_mib, strict=True), 2)
        slopes = [(y - y_0) / (x - x_0) for (x_0, y_0), (x, y) in points if x != x_0]
        low, high = min(slopes), max(slopes)
    return Slope(
        kib_per_agent=float(found.slope) * 1024,
        ci95=(low * 1024, high * 1024),
        intercept_mib=float(found.intercept),
    )
