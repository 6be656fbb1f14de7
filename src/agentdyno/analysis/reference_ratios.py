"""Ratios of a runtime's metrics to those of a reference runtime."""

from collections.abc import Sequence
from dataclasses import replace

from agentdyno.analysis.ratio import BASELINE, FLOOR, quotient
from agentdyno.analysis.registry import METRICS
from agentdyno.analysis.run_analysis import RunAnalysis


def reference_ratios(runs: Sequence[RunAnalysis], baseline: str | None) -> dict[str, dict[str, float | None]]:
    """The ratios of every run to the floor and to the baseline, by the name of the run's folder.

    A run is paired with the reference's run of the same block and otherwise same cell, so that what slowed
    the machine slowed both. A ratio is None where the block has no such run.
    """
    by_cell = {(run.block, run.cell): run.metrics for run in runs}
    runtimes = {FLOOR: FLOOR, BASELINE: baseline or ""}
    found: dict[str, dict[str, float | None]] = {}
    for run in runs:
        its = found[run.folder.name] = {}
        for metric in METRICS.values():
            if metric.of is not None and metric.reference is not None:
                cell = replace(run.cell, runtime=runtimes[metric.reference], control="")
                theirs = by_cell.get((run.block, cell), {})
                its[metric.name] = quotient(run.metrics.get(metric.of), theirs.get(metric.of))
    return found
