"""The table that a person reads after a run."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from agentdyno.report.summary import Metric, Row

MISSING = "–"
WIDEST = 1000
DIGITS = {"MiB": 1, "s": 1, "retries/task": 2, "times the floor's": 1}
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
    """Print the rows of each verifier: first memory and outcomes, then where the time of an attempt went;
    never narrower than the figures.
    """
    for verifier in dict.fromkeys(row.cell.verifier for row in found):
        its = [row for row in found if row.cell.verifier == verifier]
        for table in (_outcomes(its, f"{title}, verifier {verifier}"), _times(its, verifier)):
            console.print()
            # A line that the terminal wraps can be read; a figure that is cut to its width cannot.
            table.width = console.measure(table, options=console.options.update(max_width=WIDEST)).maximum
            console.print(table, crop=False)
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
    table = _table(title)
    for heading in columns:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in found:
        _add(table, row, [_text(row.metrics[metric]) for metric in columns.values()])
    return table


def _times(found: Sequence[Row], verifier: str) -> Table:
    table = _table(f"milliseconds of an attempt, verifier {verifier}")
    for part, percentiles in TIMES.items():
        for number, percentile in enumerate(percentiles):
            table.add_column(f"{'' if number else part}\n{percentile}", justify="right", no_wrap=True)
    for row in found:
        figures = [
            row.metrics[f"{part}_ms_{percentile}"].median
            for part, percentiles in TIMES.items()
            for percentile in percentiles
        ]
        _add(table, row, [_milliseconds(figure) for figure in figures])
    return table


def _add(table: Table, row: Row, figures: Sequence[str]) -> None:
    style = None if row.valid else "strike"
    table.add_row(row.cell.runtime, str(row.cell.agents), *figures, style=style)


def _table(title: str) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column("runtime\n", no_wrap=True)
    table.add_column("agents\n", justify="right", no_wrap=True)
    return table


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
