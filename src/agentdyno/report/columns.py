"""The columns of the tables that a person reads, and which of them go first where there is no room."""

from collections.abc import Sequence
from dataclasses import dataclass

from agentdyno.analysis.metrics import UNITS
from agentdyno.analysis.reference import BASELINE, FLOOR
from agentdyno.format import INVALID, MISSING
from agentdyno.report.best import best, over_best_other
from agentdyno.report.tables import BEST, Column
from agentdyno.results.experiment import Experiment
from agentdyno.results.summary import Row

DIGITS = {"MiB": 1, "s": 1, "retries/task": 2, "tasks/s": 1, f"times the {FLOOR}'s": 1}
DIGITS[f"times the {BASELINE}'s"] = 2


OVER_BEST = "× best other"
"""How a column is called that holds the ratio to the best of the other rows."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric's medians. Where it `competes`, less is better and the runtime's own doing, so that the best
    are marked; and with `interval` the ratio to the best other row stands in a column behind it.
    """

    name: str
    heading: str
    metric: str
    competes: bool = False
    interval: bool = False

    @property
    def name_of_interval(self) -> str:
        """What its interval's column is called."""
        return f"{self.name} {OVER_BEST}"


@dataclass(frozen=True, slots=True)
class Layout:
    """The figures of one table from left to right, and the names of those that may be left out, the least
    important first.
    """

    figures: tuple[Figure, ...]
    goes_first: tuple[str, ...]

    def columns(self, experiment: Experiment, rows: Sequence[Row]) -> list[Column]:
        """All of them but the ratios to what was not measured, and intervals where there are none."""
        shown = [Column("runtime", "runtime\n", [_runtime(row) for row in rows])]
        if len({row.cell.agents for row in rows}) > 1:
            shown.append(Column("agents", "agents\n", [str(row.cell.agents) for row in rows]))
        for figure in self.figures:
            metrics = [row.metrics[figure.metric] for row in rows]
            if figure.metric in UNITS or any(metric.median is not None for metric in metrics):
                shown.append(Column(figure.name, figure.heading, _medians(experiment, rows, figure)))
            if figure.interval:
                over_best = over_best_other(experiment, rows, figure.metric)
                if any(over_best.values()):
                    cells = [ratio_interval(over_best.get(row.cell)) for row in rows]
                    shown.append(Column(figure.name_of_interval, "× best\nother", cells))
        return shown


OUTCOMES = Layout(
    (
        Figure("peak MiB", "peak\nMiB", "peak_rss_mib", competes=True, interval=True),
        Figure("peak ×floor", "\n×floor", f"peak_rss_x_{FLOOR}"),
        Figure("peak ×base", "\n×base", f"peak_rss_x_{BASELINE}"),
        Figure("passed", "passed\n", "pass_rate"),
        Figure("first", "first\n", "first_attempt_pass"),
        Figure("recovered", "recov-\nered", "recovered"),
        Figure("failed", "fail-\ned", "failed"),
        Figure("errors", "err-\nors", "errors"),
        Figure("retries", "re-\ntries", "avg_retries"),
        Figure("CPU ms/task", "CPU ms\n/task", "cpu_s_per_task", competes=True),
        Figure("wall s", "wall\ns", "wall_s"),
    ),
    (
        "retries", "recovered", "first", "failed", "wall s", "errors", "passed", "CPU ms/task",
        "peak ×base", "peak ×floor", "peak MiB × best other",
    ),
)  # fmt: skip
"""Memory and outcomes."""

TIMES = Layout(
    (
        Figure("overhead p50", "overhead\np50", "overhead_ms_p50", competes=True, interval=True),
        Figure("overhead ×floor", "\n×floor", f"overhead_ms_p50_x_{FLOOR}"),
        Figure("overhead ×base", "\n×base", f"overhead_ms_p50_x_{BASELINE}"),
        Figure("overhead p95", "\np95", "overhead_ms_p95", competes=True),
        Figure("overhead p99", "\np99", "overhead_ms_p99", competes=True),
        *(
            Figure(f"{part} {name}", f"{part if name == 'p50' else ''}\n{name}", f"{part}_ms_{name}")
            for part in ("model", "queue", "verify")
            for name in ("p50", "p99")
        ),
    ),
    (
        "model p99", "model p50", "queue p99", "queue p50", "verify p99", "verify p50", "overhead p95",
        "overhead ×base", "overhead ×floor", "overhead p99", "overhead p50 × best other",
    ),
)  # fmt: skip
"""Where the time of an attempt went; the other percentiles are in summary.json."""

STEADY = Layout(
    (
        Figure("plateau s", "plateau\ns", "steady_s"),
        Figure("tasks/s", "tasks/s\n", "steady_tasks_per_s"),
        Figure("overhead p50", "overhead\np50", "steady_overhead_ms_p50", competes=True, interval=True),
        Figure("overhead p95", "\np95", "steady_overhead_ms_p95", competes=True),
        Figure("overhead p99", "\np99", "steady_overhead_ms_p99", competes=True),
    ),
    ("plateau s", "tasks/s", "overhead p95", "overhead p99", "overhead p50 × best other"),
)
"""The plateau, where there is one."""

FROM_DUE = Layout(
    tuple(
        Figure(f"{since} {name}", f"{since if name == 'p50' else ''}\n{name}", f"{metric}_ms_{name}")
        for since, metric in (("from due", "task"), ("from begun", "task_uncorrected"))
        for name in ("p50", "p95", "p99")
    ),
    ("from begun p95", "from begun p99", "from begun p50", "from due p95", "from due p99"),
)
"""Tasks from when they were due, and from when they were begun."""


def text(figure: float, unit: str) -> str:
    """A figure as a table shows it: seconds of processor time in ms."""
    if unit == "share":
        return f"{figure:.0%}"
    if unit in ("ms", "s/task"):
        ms = figure * 1000 if unit == "s/task" else figure
        return f"{ms:.0f}" if ms >= 100 else f"{ms:.1f}"
    return f"{figure:.{DIGITS.get(unit, 0)}f}"


def ratio_interval(ci95: tuple[float, float] | None) -> str:
    """The low and the high end of a ratio, as the rule of difference has rounded them."""
    return MISSING if ci95 is None else f"{ci95[0]:.2f}–{ci95[1]:.2f}"


def _runtime(row: Row) -> str:
    return row.cell.runtime if row.valid else f"{row.cell.runtime} {INVALID}"


def _medians(experiment: Experiment, rows: Sequence[Row], figure: Figure) -> list[str]:
    metrics = [row.metrics[figure.metric] for row in rows]
    unit = metrics[0].unit
    shown = [MISSING if metric.median is None else text(metric.median, unit) for metric in metrics]
    marked = best(experiment, rows, figure.metric) if figure.competes else set()
    if not marked:
        return shown
    return [f"{median}{BEST if row.cell in marked else ' '}" for row, median in zip(rows, shown, strict=True)]
