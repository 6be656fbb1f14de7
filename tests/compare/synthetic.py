"""Summaries of experiments that were never made, the figures of which can be checked by hand."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agentdyno.analysis.controls import Comparison
from agentdyno.analysis.gate import Failure
from agentdyno.analysis.registry import METRICS
from agentdyno.analysis.statistics import interval, median
from agentdyno.results.summary import Metric, Row
from agentdyno.rundata.cell import Cell
from report.synthetic_summary import write_summary

METHODS: dict[str, str | None] = {"peak_rss_mib": "VmHWM", "tree_peak_cgroup_mib": None}
FAULT = Failure("ended in order", 2, "it crashed", "mend it", is_fault=True)
BUSY = Failure("no swap", 1, "3 pages were swapped", "free memory", is_fault=False)


def row(
    runtime: str = "python",
    agents: int = 100,
    verifier: str = "null",
    failures: Sequence[Failure] = (),
    methods: dict[str, str | None] = METHODS,
    **values: Sequence[float | None],
) -> Row:
    """A row that has nothing but these values of its runs."""
    runs = max(map(len, values.values()), default=3)
    every = {metric: list(values.get(metric, [None] * runs)) for metric in METRICS}
    metrics = {
        metric: Metric(median(its), interval(its), its, METRICS[metric].unit) for metric, its in every.items()
    }
    return Row(Cell(runtime, agents, verifier, "steady"), list(failures), metrics, methods)


def experiment(
    folder: Path,
    *rows: Row,
    controls: Sequence[Comparison] = (),
    tasks_sha256: str = "a" * 64,
    environment: dict[str, Any] | None = None,
    **asked: Any,
) -> Path:
    """Write the summary of an experiment in which `asked` and `environment` were as given."""
    asked = {"request": {"temperature": 0}} | asked
    write_summary(folder, rows, controls, tasks_sha256, environment, **asked)
    return folder
