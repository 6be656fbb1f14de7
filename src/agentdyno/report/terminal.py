"""The table that a person reads after a run."""

import statistics
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from agentdyno.analysis.controls import Comparison
from agentdyno.analysis.metrics import UNITS
from agentdyno.analysis.ratio import Ratio
from agentdyno.analysis.reference import BASELINE, FLOOR
from agentdyno.experiment.cell import SENTINEL, TWIN, UNSAMPLED
from agentdyno.report.summary import Findings, Metric, Row
from agentdyno.report.tables import MISSING, show, table

DIGITS = {"MiB": 1, "s": 1, "retries/task": 2, "times the floor's": 1, "times the baseline's": 2}
CELL = ("runtime\n", "agents\n")
OUTCOMES = {
    "peak\nMiB": "peak_rss_mib",
    "\n×floor": f"peak_rss_x_{FLOOR}",
    "\n×base": f"peak_rss_x_{BASELINE}",
    "passed\n": "pass_rate",
    "first\n": "first_attempt_pass",
    "recov-\nered": "recovered",
    "fail-\ned": "failed",
    "err-\nors": "errors",
    "re-\ntries": "avg_retries",
    "wall\ns": "wall_s",
}
TIMES = {
    "overhead": ("p50", "p95", "p99"),
    "model": ("p50", "p99"),
    "queue": ("p50", "p99"),
    "verify": ("p50", "p99"),
}
"""The percentiles that are shown; the others are in summary.json."""


CONTROLS = {
    TWIN: "A/A, {runtime} against itself",
    SENTINEL: "sentinel, the first run again at the end",
    UNSAMPLED: "{runtime} without the sampler against itself with it",
}
SHOWN_RATIOS = {
    "memory": "peak_rss_mib",
    "CPU": "cpu_s_per_task",
    "overhead p50": "overhead_ms_p50",
    "wall": "wall_s",
}
INSTRUMENT = {
    "endpoint": "endpoint_cpu_share",
    "harness": "harness_cpu_share",
    "of it the sampler": "sampler_cpu_share",
}


def print_findings(console: Console, found: Findings, title: str, *, scheduled: bool) -> None:
    """Print the rows of each verifier: first memory and outcomes, then where the time of an attempt went;
    then what measuring took, what the controls show, and why rows are not valid.

    Where tasks were `scheduled`, their times are shown from when they were due, and from when they were
    begun.
    """
    for verifier in dict.fromkeys(row.cell.verifier for row in found.rows):
        its = [row for row in found.rows if row.cell.verifier == verifier]
        show(console, _outcomes(its, f"{title}, verifier {verifier}"))
        show(console, _times(its, verifier))
        if any(row.metrics["steady_tasks_per_s"].median is not None for row in its):
            show(console, _steady(its, verifier))
        if scheduled:
            show(console, _corrected(its, verifier))
    console.print()
    for line in [_instrument(found.rows), *map(_control, found.comparisons)]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    for line in _complaints(found.rows):
        console.print(line, style="red", markup=False, highlight=False, soft_wrap=True)


def _instrument(rows: Sequence[Row]) -> str:
    """What measuring itself took, as the median over the rows."""
    shares = {
        who: [share for row in rows if (share := row.metrics[metric].median) is not None]
        for who, metric in INSTRUMENT.items()
    }
    said = [f"{who} {statistics.median(its):.1%}" for who, its in shares.items() if its]
    return f"measuring took, of one core: {', '.join(said) or MISSING}"


def _control(comparison: Comparison) -> str:
    what = CONTROLS[comparison.control].format(runtime=comparison.runtime)
    ratios = [f"{name} {_ratio(comparison.ratios[metric])}" for name, metric in SHOWN_RATIOS.items()]
    return f"{what}, {comparison.agents} agents, verifier {comparison.verifier}: {', '.join(ratios)}"


def _ratio(its: Ratio) -> str:
    if its.median is None:
        return MISSING
    within = f" ({its.ci95[0]:.2f} to {its.ci95[1]:.2f})" if its.ci95 else ""
    return f"×{its.median:.2f}{within}"


def _complaints(rows: Sequence[Row]) -> list[str]:
    """Why rows are not valid; what stands against the whole experiment is said once."""
    of_all = [failure for failure in rows[0].failures if failure.run is None]
    return [
        *(f"INVALID all rows, {failure.line}" for failure in of_all),
        *(row.complaint(failure) for row in rows for failure in row.failures if failure.run is not None),
    ]


def _outcomes(found: Sequence[Row], title: str) -> Table:
    """Memory and outcomes; how many times the floor's or the baseline's memory it is, where measured."""
    columns = {
        heading: metric
        for heading, metric in OUTCOMES.items()
        if metric in UNITS or any(row.metrics[metric].median is not None for row in found)
    }
    made = table(title, [*CELL, *columns])
    for row in found:
        _add(made, row, [_text(row.metrics[metric]) for metric in columns.values()])
    return made


def _steady(found: Sequence[Row], verifier: str) -> Table:
    """The plateau, where there is one."""
    headings = ["plateau\ns", "tasks/s\n", "overhead\np50", "\np95", "\np99"]
    names = [
        "steady_s",
        "steady_tasks_per_s",
        *(f"steady_overhead_ms_{name}" for name in ("p50", "p95", "p99")),
    ]
    made = table(f"with all agents at work, verifier {verifier}", [*CELL, *headings])
    for row in found:
        _add(made, row, [_milliseconds(row.metrics[name].median) for name in names])
    return made


def _corrected(found: Sequence[Row], verifier: str) -> Table:
    """Tasks from when they were due, and from when they were begun."""
    headings = ["from due\np50", "\np95", "\np99", "from begun\np50", "\np95", "\np99"]
    names = [f"{kind}_ms_{name}" for kind in ("task", "task_uncorrected") for name in ("p50", "p95", "p99")]
    made = table(f"milliseconds of a task, verifier {verifier}", [*CELL, *headings])
    for row in found:
        _add(made, row, [_milliseconds(row.metrics[name].median) for name in names])
    return made


def _times(found: Sequence[Row], verifier: str) -> Table:
    headings = [
        f"{'' if number else part}\n{percentile}"
        for part, percentiles in TIMES.items()
        for number, percentile in enumerate(percentiles)
    ]
    made = table(f"milliseconds of an attempt, verifier {verifier}", [*CELL, *headings])
    for row in found:
        figures = [
            row.metrics[f"{part}_ms_{percentile}"].median
            for part, percentiles in TIMES.items()
            for percentile in percentiles
        ]
        _add(made, row, [_milliseconds(figure) for figure in figures])
    return made


def _add(made: Table, row: Row, figures: Sequence[str]) -> None:
    style = None if row.valid else "strike"
    made.add_row(row.cell.runtime, str(row.cell.agents), *figures, style=style)


def _text(metric: Metric) -> str:
    if metric.median is None:
        return MISSING
    return (
        f"{metric.median:.0%}"
        if metric.unit == "share"
        else f"{metric.median:.{DIGITS.get(metric.unit, 0)}f}"
    )


def _milliseconds(figure: float | None) -> str:
    return MISSING if figure is None else f"{figure:.0f}" if figure >= 100 else f"{figure:.1f}"
