"""How far a runtime is from the practical limit, which is what the runtime `floor` measures."""

from collections.abc import Sequence
from dataclasses import replace

from agentdyno.analysis.measured import MeasuredRun

FLOOR = "floor"
"""The runtime that the others are compared with, by its name."""

COMPARED = {
    "peak_rss_mib": "peak_rss_x_floor",
    "overhead_ms_p50": "overhead_ms_p50_x_floor",
    "cpu_s_per_task": "cpu_s_per_task_x_floor",
}
"""The metrics that are compared, and what their ratio to the floor's is called."""

UNITS = dict.fromkeys(COMPARED.values(), "times the floor's")


def ratios(runs: Sequence[MeasuredRun]) -> dict[str, dict[str, float | None]]:
    """The ratios of every run, by its folder's name.

    A run is held to the floor's run of its own block that differs in nothing but the runtime, so that what
    slowed the machine then slowed both. None where there was none.
    """
    floors = {(run.block, run.cell): run.metrics for run in runs if run.cell.runtime == FLOOR}
    found = {}
    for run in runs:
        floor = floors.get((run.block, replace(run.cell, runtime=FLOOR)), {})
        found[run.folder.name] = {
            ratio: _ratio(run.metrics[metric], floor.get(metric)) for metric, ratio in COMPARED.items()
        }
    return found


def _ratio(figure: float | None, floor: float | None) -> float | None:
    return figure / floor if figure is not None and floor else None
