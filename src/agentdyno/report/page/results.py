"""The table of results: a row for each cell, a column for each figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agentdyno.analysis.ratio import BASELINE
from agentdyno.analysis.registry import METRICS, MetricDefinition
from agentdyno.format import MISSING
from agentdyno.results.experiment import Experiment
from agentdyno.results.summary import Row

SHOWN = (
    "peak_rss_mib",
    "peak_rss_x_floor",
    "peak_rss_x_baseline",
    "tree_peak_pss_mib",
    "overhead_ms_p50",
    "overhead_ms_p99",
    "overhead_ms_p50_x_baseline",
    "cpu_s_per_task",
    "cpu_s_per_task_x_baseline",
    "tasks_per_s",
    "pass_rate",
    "avg_retries",
    "max_in_flight",
    "endpoint_lateness_ms_p99",
)
"""From left to right; metrics for which no row has a figure are left out."""


@dataclass(frozen=True, slots=True)
class Column:
    """One metric, and the unit in its heading, which names the baseline."""

    metric: MetricDefinition
    unit: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure as it is shown. `value` is what is sorted by, `share` that of the column's largest."""

    text: str
    interval: str | None
    value: float | None
    share: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """One row as it is shown, with what its runtime says of itself."""

    row: Row
    language: str
    description: str
    figures: list[Figure]


@dataclass(frozen=True, slots=True)
class Results:
    """The table."""

    columns: list[Column]
    lines: list[Line]

    @property
    def agents(self) -> list[int]:
        """The numbers of agents, upwards."""
        return sorted({line.row.cell.agents for line in self.lines})

    @property
    def verifiers(self) -> list[str]:
        """By name, in the order of the rows."""
        return list(dict.fromkeys(line.row.cell.verifier for line in self.lines))


def results(experiment: Experiment) -> Results:
    """All rows, valid or not: verifier by verifier, fewest agents first."""
    asked = experiment.document["experiment"]
    verifiers = list(dict.fromkeys(row.cell.verifier for row in experiment.summary.rows))
    rows = sorted(
        experiment.summary.rows, key=lambda row: (verifiers.index(row.cell.verifier), row.cell.agents)
    )
    columns = [
        Column(METRICS[name], METRICS[name].shown_in.replace(BASELINE, str(asked["baseline"])))
        for name in SHOWN
        if any(row.metrics[name].median is not None for row in rows)
    ]
    largest = {name: _largest(rows, name) for name in SHOWN if METRICS[name].ranks}
    return Results(
        columns,
        [
            Line(
                row,
                *_described(asked["runtimes"].get(row.cell.runtime, {})),
                [_figure(row, column.metric, largest.get(column.metric.name)) for column in columns],
            )
            for row in rows
        ],
    )


def _described(runtime: dict[str, Any]) -> tuple[str, str]:
    return runtime.get("language", ""), runtime.get("description", "")


def _largest(rows: Sequence[Row], metric: str) -> float:
    return max((median for row in rows if (median := row.metrics[metric].median) is not None), default=0.0)


def _figure(row: Row, metric: MetricDefinition, largest: float | None) -> Figure:
    its = row.metrics[metric.name]
    if its.median is None:
        return Figure(MISSING, None, None, None)
    interval = None
    if its.ci95 is not None:
        interval = metric.interval(its.ci95) if its.ci95[0] < its.ci95[1] else metric.shown(its.median)
    share = its.median / largest if largest else None
    return Figure(metric.shown(its.median), interval, its.median * metric.scale, share)
