"""Which rows are the best of a column, as far as their runs can tell."""

from collections.abc import Callable, Sequence

from agentdyno.analysis.reference import FLOOR
from agentdyno.results.summary import Metric, Row
from agentdyno.rundata.cell import Cell

Printed = Callable[[float], str]
"""How a column writes a figure."""


def best(rows: Sequence[Row], metric: str, printed: Printed) -> set[Cell]:
    """The rows with the least of a metric among those with as many agents, and those that cannot be told
    from it: their 95% intervals, as printed, meet. A row without an interval has its median instead.

    The floor, which is the practical limit, and rows that are not valid do not compete. Where no row can be
    told from the best, none is.
    """
    found = set()
    for agents in dict.fromkeys(row.cell.agents for row in rows):
        competing = {
            row.cell: within
            for row in rows
            if row.valid and row.cell.agents == agents and row.cell.runtime != FLOOR
            if (within := _within(row.metrics[metric], printed)) is not None
        }
        least_high = min(competing.values(), default=(0.0, 0.0, 0.0))[2]
        tied = {cell for cell, (_, low, _) in competing.items() if low <= least_high}
        if len(tied) < len(competing):
            found |= tied
    return found


def _within(metric: Metric, printed: Printed) -> tuple[float, float, float] | None:
    """Median, low and high as a reader sees them: figures that read alike are alike."""
    if metric.median is None:
        return None
    low, high = metric.ci95 or (metric.median, metric.median)
    return float(printed(metric.median)), float(printed(low)), float(printed(high))
