"""The table that a person reads after a run."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from agentdyno.report.summary import Metric, Row

MISSING = "–"
WIDEST = 1000
DIGITS = {"MiB": 1, "s": 1, "retries/task": 2}
TIMES = {
    "overhead": ("p50", "p95", "p99"),
    "model": ("p50", "p99"),
    "queue": ("p50", "p99"),
    "verify": ("p50", "p99"),
}
"""The percentiles that are shown; the others are in summary.json."""


def print_rows(console: Console, found: Sequence[Row], title: str) -> None:
    """Print the rows: first memory and outcomes, then where the time of an attempt went; never narrower than
    the figures.
    """
    outcomes = _table(title)
    for heading in (
        "peak\nMiB",
        "passed\n",
        "first\n",
        "recov-\nered",
        "failed\n",
        "errors\n",
        "retries\n",
    ):
        outcomes.add_column(heading, justify="right", no_wrap=True)
    outcomes.add_column("wall\ns", justify="right", no_wrap=True)
    times = _table("milliseconds of an attempt")
    for part, percentiles in TIMES.items():
        for number, percentile in enumerate(percentiles):
            times.add_column(f"{'' if number else part}\n{percentile}", justify="right", no_wrap=True)
    for row in found:
        style = None if row.valid else "strike"
        share = row.metrics["pass_rate"].median
        outcomes.add_row(
            row.cell.runtime,
            str(row.cell.agents),
            _text(row.metrics["peak_rss_mib"]),
            MISSING if share is None else f"{share:.0%}",
            *(
                _text(row.metrics[metric])
                for metric in ("first_attempt_pass", "recovered", "failed", "errors")
            ),
            _text(row.metrics["avg_retries"]),
            _text(row.metrics["wall_s"]),
            style=style,
        )
        times.add_row(
            row.cell.runtime,
            str(row.cell.agents),
            *(
                _milliseconds(row.metrics[f"{part}_ms_{percentile}"].median)
                for part, percentiles in TIMES.items()
                for percentile in percentiles
            ),
            style=style,
        )
    for table in (outcomes, times):
        console.print()
        # A line that the terminal wraps can be read; a figure that is cut to its width cannot.
        table.width = console.measure(table, options=console.options.update(max_width=WIDEST)).maximum
        console.print(table, crop=False)
    console.print()
    for row in found:
        for reason in row.reasons:
            line = f"INVALID {row.cell.runtime}, {row.cell.agents} agents, {' '.join(reason.split())}"
            console.print(line, style="red", markup=False, highlight=False, soft_wrap=True)


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
    return MISSING if metric.median is None else f"{metric.median:.{DIGITS.get(metric.unit, 0)}f}"


def _milliseconds(figure: float | None) -> str:
    return MISSING if figure is None else f"{figure:.0f}" if figure >= 100 else f"{figure:.1f}"
