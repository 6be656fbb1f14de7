"""Experiments that were never made, whole enough for a report."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agentdyno.analysis.bottleneck import Bottleneck
from agentdyno.analysis.capacity import Capacity
from agentdyno.analysis.controls import COMPARED, Comparison
from agentdyno.analysis.gate import Failure
from agentdyno.analysis.ratio import of_pairs
from agentdyno.analysis.registry import METRICS
from agentdyno.analysis.statistics import Slope, interval, median
from agentdyno.results.experiment import Experiment, open_experiment
from agentdyno.results.summary import Metric, Row
from agentdyno.results.sweep import Swept
from agentdyno.rundata.cell import Cell
from report.synthetic_summary import write_summary


def row(
    runtime: str,
    *runs: float,
    agents: int = 100,
    verifier: str = "null",
    failures: Sequence[Failure] = (),
    **values: Sequence[float | None],
) -> Row:
    """A row whose runs each took so many MiB, as many ms of overhead and as many of processor time a task,
    and what else is said.
    """
    its: dict[str, Sequence[float | None]] = {
        "peak_rss_mib": runs,
        "overhead_ms_p50": runs,
        "cpu_s_per_task": [run / 1000 for run in runs],
        **values,
    }
    of_runs = {name: list(its.get(name, [None] * len(runs))) for name in METRICS}
    found = {
        name: Metric(median(of_runs[name]), interval(of_runs[name]), of_runs[name], metric.unit)
        for name, metric in METRICS.items()
    }
    return Row(Cell(runtime, agents, verifier, "steady"), list(failures), found, {"peak_rss_mib": "VmHWM"})


def experiment(
    folder: Path,
    *rows: Row,
    compared: Sequence[Comparison] = (),
    environment: dict[str, Any] | None = None,
    **asked: Any,
) -> Experiment:
    """The experiment of these rows and controls, written to `folder` and read back."""
    write_summary(folder, rows, compared, environment=environment, **asked)
    return open_experiment(folder)


def control(name: str, runtime: str, **ratios: Sequence[float]) -> Comparison:
    """A control in which the runtime was, pair by pair, so many times what it was; as much where not said."""
    found = {metric: of_pairs(ratios.get(metric, [1.0, 1.0, 1.0])) for metric in COMPARED}
    return Comparison(name, runtime, 100, "null", found)


ITS_OWN = Bottleneck("begin", "CPU of the runtime: one core", "0.96 cores", is_runtimes=True)


def swept(runtime: str, kib: float, kept: int, broken: int | None, verifier: str = "null") -> Swept:
    """The memory of an agent is known to 10%."""
    return Swept(
        runtime=runtime,
        verifier=verifier,
        objective_ms=50,
        most_agents=None,
        points=[],
        memory=Slope(kib, (0.9 * kib, 1.1 * kib), 5.0),
        capacity=Capacity(kept, broken, [], None if broken is None else ITS_OWN),
    )
