"""The table that a person reads after a run."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from agentdyno.report.summary import Metric, Row
from agentdyno.report.tables import MISSING, show, table

DIGITS = {"MiB": 1, "s": 1, "retries/task": 2, "times the floor's": 1}
CELL = ("runtime\n", "agents\n")
OUTCOMES = {
    "peak\nMiB": "peak_rss_mib",
    "\n×floor": "peak_rss_x_floor",
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


def print_rows(console: Console, found: Sequence[Row], title: str) -> None:
    """Print the rows of each verifier: first memory and outcomes, then where the time of an attempt went."""
    for verifier in dict.fromkeys(row.cell.verifier for row in found):
        its = [row for row in found if row.cell.verifier == verifier]
        show(console, _outcomes(its, f"{title}, verifier {verifier}"))
        show(console, _times(its, verifier))
    console.print()
    for row in found:
        for line in row.complaints:
            console.print(line, style="red", markup=False, highlight=False, soft_wrap=True)


def _outcomes(found: Sequence[Row], title: str) -> Table:
    """Memory and outcomes; how many times the floor's memory it is, where the floor was measured."""
    has_floor = any(row.metrics["peak_rss_x_floor"].median is not None for row in found)
    columns = {
        heading: metric for heading, metric in OUTCOMES.items() if has_floor or metric != "peak_rss_x_floor"
    }
    made = table(title, [*CELL, *columns])
    for row in found:
        _add(made, row, [_text(row.metrics[metric]) for metric in columns.values()])
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
