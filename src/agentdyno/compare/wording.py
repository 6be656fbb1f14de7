"""How figures, ratios and changes are written."""

import math

from agentdyno.analysis.ratio import Ratio
from agentdyno.compare.change import Change
from agentdyno.format import MISSING


def figure(value: float | None) -> str:
    """Three significant digits, or the whole figure."""
    if value is None:
        return MISSING
    return f"{value:,.0f}" if abs(value) >= 99.95 else f"{value:.3g}"


def times(its: Ratio) -> str:
    """A ratio without its interval."""
    return MISSING if its.median is None else f"×{its.median:.2f}"


def interval(its: Ratio) -> str:
    """The 95% interval of a ratio."""
    return MISSING if its.ci95 is None else f"{its.ci95[0]:.2f} to {its.ci95[1]:.2f}"


def share(change: float) -> str:
    """A relative change as a percentage with its sign."""
    return f"{change:+.1%}" if math.isfinite(change) else "from nothing"


def verdict(change: Change) -> str:
    """What a change is worth; nothing for a metric that is better neither way."""
    return change.verdict or ""
