"""What a drift is judged against: how much a figure varies from run to run in the experiment itself."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agentdyno.analysis.run_analysis import RunAnalysis
from agentdyno.analysis.statistics import student_quantile
from agentdyno.rundata.cell import AA_CONTROL

LEAST_FREEDOM = 3
"""Fewer degrees of freedom tell no noise: with one, nothing below a factor of three could be told from it."""


@dataclass(frozen=True, slots=True)
class Noise:
    """The standard deviation of a metric's logarithm between runs of one cell, pooled over the cells."""

    deviation: float
    freedom: int

    @property
    def limit(self) -> float:
        """Two runs of one cell differ by a larger factor than 1 plus this in 5% of experiments."""
        return math.expm1(student_quantile(self.freedom) * math.sqrt(2) * self.deviation)


def noise(runs: Sequence[RunAnalysis], metric: str) -> Noise | None:
    """The noise of `metric` over the runs of each cell and of its A/A control; None for too few runs."""
    groups: dict[object, list[float]] = {}
    for run in runs:
        figure = run.metrics.get(metric)
        if run.cell.control in ("", AA_CONTROL) and figure is not None and figure > 0:
            groups.setdefault(replace(run.cell, control=""), []).append(math.log(figure))
    samples = [sample for sample in groups.values() if len(sample) > 1]
    freedom = sum(len(sample) - 1 for sample in samples)
    if freedom < LEAST_FREEDOM:
        return None
    squares = sum(statistics.variance(sample) * (len(sample) - 1) for sample in samples)
    return Noise(math.sqrt(squares / freedom), freedom)
