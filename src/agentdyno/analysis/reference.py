"""How many times another runtime's figures a runtime's are."""

from collections.abc import Sequence
from dataclasses import replace

from agentdyno.analysis.ratio import quotient
from agentdyno.analysis.run_analysis import RunAnalysis

FLOOR = "floor"
"""The runtime that is the practical limit, by its name."""

BASELINE = "baseline"
"""What ratios to the runtime chosen with --baseline are called after."""

COMPARED = {
    "peak_rss_mib": "peak_rss",
    "overhead_ms_p50": "overhead_ms_p50",
    "cpu_s_per_task": "cpu_s_per_task",
}
"""The metrics that are compared, and what their ratios' names begin with."""

UNITS = {
    f"{name}_x_{reference}": f"times the {reference}'s"
    for reference in (FLOOR, BASELINE)
    for name in COMPARED.values()
}


def ratios(runs: Sequence[RunAnalysis], baseline: str | None) -> dict[str, dict[str, float | None]]:
    """The ratios of every run to the floor and to the baseline, by its folder's name.

    A run is held to the run of its own block that differs in nothing but the runtime, so that what slowed the
    machine then slowed both. None where there was none.
    """
    by_cell = {(run.block, run.cell): run.metrics for run in runs}
    found: dict[str, dict[str, float | None]] = {}
    for run in runs:
        its = found[run.folder.name] = {}
        for reference, runtime in ((FLOOR, FLOOR), (BASELINE, baseline)):
            cell = replace(run.cell, runtime=runtime or "", control="")
            theirs = by_cell.get((run.block, cell), {})
            for metric, name in COMPARED.items():
                its[f"{name}_x_{reference}"] = quotient(run.metrics.get(metric), theirs.get(metric))
    return found
