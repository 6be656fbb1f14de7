"""The table of results: a row for each cell, a column for each figure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from agentdyno.analysis.reference import BASELINE, FLOOR
from agentdyno.format import MISSING, figure
from agentdyno.results.experiment import Experiment
from agentdyno.results.summary import Metric, Row


@dataclass(frozen=True, slots=True)
class Column:
    """What is shown of a metric, which times `scale` is in `unit`. With `has_bar`, how it compares with the
    largest of the column is to be seen.
    """

    metric: str
    heading: str
    unit: str
    meaning: str
    scale: float = 1
    has_bar: bool = False


COLUMNS = (
    Column(
        "peak_rss_mib",
        "Peak memory",
        "MiB",
        "The largest that the runtime's own processes were (VmHWM); test processes are not in it.",
        has_bar=True,
    ),
    Column(
        f"peak_rss_x_{FLOOR}",
        "Memory",
        "× floor",
        "Peak memory divided by that of floor, the practical limit, in the same block.",
    ),
    Column(
        f"peak_rss_x_{BASELINE}",
        "Memory",
        "× {baseline}",
        "Peak memory divided by that of {baseline}, the baseline, in the same block.",
    ),
    Column(
        "tree_peak_pss_mib",
        "With tests",
        "MiB",
        "The largest sum of PSS over the runtime and its test processes.",
    ),
    Column(
        "overhead_ms_p50",
        "Overhead p50",
        "ms",
        "What the runtime adds to an attempt: its wall time without model, wait for a slot, and test. "
        "Half of the attempts took no more.",
        has_bar=True,
    ),
    Column("overhead_ms_p99", "Overhead p99", "ms", "99 of 100 attempts took no more."),
    Column(
        f"overhead_ms_p50_x_{BASELINE}",
        "Overhead p50",
        "× {baseline}",
        "Divided by that of {baseline} in the same block.",
    ),
    Column(
        "cpu_s_per_task",
        "Processor time",
        "ms/task",
        "Of the runtime's own processes, without the tests.",
        scale=1000,
        has_bar=True,
    ),
    Column(
        f"cpu_s_per_task_x_{BASELINE}",
        "Processor time",
        "× {baseline}",
        "Divided by that of {baseline} in the same block.",
    ),
    Column(
        "tasks_per_s",
        "Throughput",
        "tasks/s",
        "Tasks over the wall time of the run: mostly the model's and the tests' doing.",
    ),
    Column(
        "pass_rate",
        "Passed",
        "%",
        "Tasks that passed, with retries: the script's or the model's doing.",
        scale=100,
    ),
    Column("avg_retries", "Retries", "per task", "Attempts after the first."),
    Column(
        "max_in_flight", "In flight", "requests", "The most requests at once, by the endpoint's own gauge."
    ),
    Column(
        "endpoint_lateness_ms_p99",
        "Endpoint late",
        "p99 ms",
        "How much later than due what the endpoint sent left: the instrument's own error.",
    ),
)
"""From left to right; those for which no row has a figure are left out."""


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
        _named(column, str(asked["baseline"]))
        for column in COLUMNS
        if any(row.metrics[column.metric].median is not None for row in rows)
    ]
    largest = {column.metric: _largest(rows, column.metric) for column in columns if column.has_bar}
    return Results(
        columns,
        [
            Line(
                row,
                *_described(asked["runtimes"].get(row.cell.runtime, {})),
                [
                    _figure(row.metrics[column.metric], column, largest.get(column.metric))
                    for column in columns
                ],
            )
            for row in rows
        ],
    )


def _named(column: Column, baseline: str) -> Column:
    unit, meaning = (text.replace("{baseline}", baseline) for text in (column.unit, column.meaning))
    return replace(column, unit=unit, meaning=meaning)


def _described(runtime: dict[str, Any]) -> tuple[str, str]:
    return runtime.get("language", ""), runtime.get("description", "")


def _largest(rows: Sequence[Row], metric: str) -> float:
    return max((median for row in rows if (median := row.metrics[metric].median) is not None), default=0.0)


def _figure(metric: Metric, column: Column, largest: float | None) -> Figure:
    if metric.median is None:
        return Figure(MISSING, None, None, None)
    value = metric.median * column.scale
    interval = None
    if metric.ci95 is not None:
        low, high = (_text(bound * column.scale, metric.unit) for bound in metric.ci95)
        interval = low if low == high else f"{low} to {high}"
    share = metric.median / largest if largest else None
    return Figure(_text(value, metric.unit), interval, value, share)


def _text(value: float, unit: str) -> str:
    return f"{value:,.0f}" if unit in ("requests", "tasks", "share") else figure(value)
