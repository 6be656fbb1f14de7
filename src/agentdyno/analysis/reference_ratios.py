"""How many times another runtime's figures a runtime's are."""

from collections.abc import Sequence
from dataclasses import replace

from agentdyno.analysis.ratio import quotient
from agentdyno.analysis.reference import BASELINE, FLOOR
from agentdyno.analysis.registry import METRICS
from agentdyno.analysis.run_analysis import RunAnalysis


def reference_ratios(runs: Sequence[RunAnalysis], baseline: str | None) -> dict[str, dict[str, float | None]]:
    """The ratios of every run to the floor and to the baseline, by its folder's name.

    A run is held to the run of its own block that differs in nothing but the runtime, so that what slowed the
    machine then slowed both. None where there was none.
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
