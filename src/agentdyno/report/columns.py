"""The columns of the tables, which go first where there is no room, and which rows are marked as best."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agentdyno.analysis.difference import Group
from agentdyno.analysis.registry import METRICS, PERCENTILES, MetricDefinition
from agentdyno.format import INVALID, ratio_interval
from agentdyno.report.tables import BEST, Column, marked
from agentdyno.results.experiment import Experiment
from agentdyno.results.groups import group
from agentdyno.results.summary import Row
from agentdyno.rundata.cell import Cell


def compared(experiment: Experiment, rows: Sequence[Row], metric: str) -> list[Group[Cell]]:
    """The rows of one verifier that compete in a metric: a group for each number of agents."""
    firsts = {row.cell.agents: row.cell for row in rows}
    return [group(experiment, cell, metric) for cell in firsts.values()]


def best(groups: Iterable[Group[Cell]]) -> set[Cell]:
    """The rows that no row with as many agents surely takes less than; none where no row can be told from
    another.
    """
    return {leader for found in groups for leader in found.leaders}


def over_best_other(groups: Iterable[Group[Cell]]) -> dict[Cell, tuple[float, float] | None]:
    """How many times the best of the others each competing row is, as a 95% CI: above 1 as a whole where the
    row is beaten, and below 1 where it leads alone.
    """
    return {cell: found.over_best_other(cell) for found in groups for cell in found.rows}


OVER_BEST = "× best other"
"""How a column is called that holds the ratio to the best of the other rows."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The metrics of one table from left to right, by their names.

    `compared` are those behind which the ratio to the best other row stands in a column of its own.
    `goes_first` names what may be left out, the least important first: metrics, and these ratios with
    OVER_BEST behind the metric.
    """

    metrics: tuple[str, ...]
    compared: tuple[str, ...]
    goes_first: tuple[str, ...]

    @property
    def names_that_go_first(self) -> list[str]:
        """The names of these columns."""
        return [_named(*name.split(" ", 1)) for name in self.goes_first]

    def columns(self, experiment: Experiment, rows: Sequence[Row]) -> list[Column]:
        """All of them but the ratios to what was not measured."""
        shown = [Column("runtime", "runtime\n", [_runtime(row) for row in rows])]
        if len({row.cell.agents for row in rows}) > 1:
            shown.append(Column("agents", "agents\n", [f"{row.cell.agents:,}" for row in rows]))
        metrics = [metric for name in self.metrics if _is_shown(metric := METRICS[name], rows)]
        for metric, heading in zip(metrics, headings(metrics), strict=True):
            groups = compared(experiment, rows, metric.name) if metric.ranks else []
            shown.append(Column(metric.called, heading, _medians(rows, metric, best(groups))))
            if metric.name in self.compared:
                over_best = over_best_other(groups)
                if any(over_best.values()):
                    cells = [ratio_interval(over_best.get(row.cell)) for row in rows]
                    shown.append(Column(_named(metric.name, OVER_BEST), "× best\nother", cells))
        return shown


OUTCOMES = Layout(
    (
        "peak_rss_mib",
        "peak_rss_x_floor",
        "peak_rss_x_baseline",
        "pass_rate",
        "first_attempt_pass",
        "recovered",
        "failed",
        "errors",
        "avg_retries",
        "cpu_s_per_task",
        "wall_s",
    ),
    ("peak_rss_mib",),
    (
        "avg_retries",
        "recovered",
        "first_attempt_pass",
        "failed",
        "wall_s",
        "errors",
        "pass_rate",
        "cpu_s_per_task",
        "peak_rss_x_baseline",
        "peak_rss_x_floor",
        f"peak_rss_mib {OVER_BEST}",
    ),
)
"""Memory and outcomes."""

TIMES = Layout(
    (
        "overhead_ms_p50",
        "overhead_ms_p50_x_floor",
        "overhead_ms_p50_x_baseline",
        "overhead_ms_p95",
        "overhead_ms_p99",
        *(f"{part}_ms_{name}" for part in ("model", "queue", "verify") for name in ("p50", "p99")),
    ),
    ("overhead_ms_p50",),
    (
        *(f"{part}_ms_{name}" for part in ("model", "queue", "verify") for name in ("p99", "p50")),
        "overhead_ms_p95",
        "overhead_ms_p50_x_baseline",
        "overhead_ms_p50_x_floor",
        "overhead_ms_p99",
        f"overhead_ms_p50 {OVER_BEST}",
    ),
)
"""Where the time of an attempt went, in ms; the other percentiles are in summary.json."""

STEADY = Layout(
    ("steady_s", "steady_tasks_per_s", *(f"steady_overhead_ms_{name}" for name in PERCENTILES)),
    ("steady_overhead_ms_p50",),
    (
        "steady_s",
        "steady_tasks_per_s",
        "steady_overhead_ms_p95",
        "steady_overhead_ms_p99",
        f"steady_overhead_ms_p50 {OVER_BEST}",
    ),
)
"""The steady state, where there is one."""

FROM_DUE = Layout(
    tuple(f"{metric}_ms_{name}" for metric in ("task", "task_uncorrected") for name in PERCENTILES),
    (),
    (
        *(f"task_uncorrected_ms_{name}" for name in ("p95", "p99", "p50")),
        "task_ms_p95",
        "task_ms_p99",
    ),
)
"""Tasks from when they were due, and from when they were begun, in ms."""


def headings(metrics: Iterable[MetricDefinition]) -> list[str]:
    """The short heading of each; what stands above the metric to the left is not said again."""
    lines = [metric.short.split("\n") for metric in metrics]
    above = ["", *(first for first, _ in lines)]
    return [
        f"{'' if first == left else first}\n{second}"
        for left, (first, second) in zip(above, lines, strict=False)
    ]


def _is_shown(metric: MetricDefinition, rows: Sequence[Row]) -> bool:
    return metric.reference is None or any(row.metrics[metric.name].median is not None for row in rows)


def _named(metric: str, *behind: str) -> str:
    return " ".join([METRICS[metric].called, *behind])


def _runtime(row: Row) -> str:
    """Marked where no figure at all is valid."""
    return f"{row.cell.runtime} {INVALID}" if row.is_void else row.cell.runtime


def _medians(rows: Sequence[Row], metric: MetricDefinition, leaders: set[Cell]) -> list[str]:
    shown = [metric.shown(row.metrics[metric.name].median) for row in rows]
    return marked(shown, [_mark(row, metric, leaders) for row in rows])


def _mark(row: Row, metric: MetricDefinition, leaders: set[Cell]) -> str:
    if row.metrics[metric.name].median is not None and not row.has_valid(metric.name):
        return INVALID
    return BEST if row.cell in leaders else ""
