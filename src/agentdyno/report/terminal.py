"""The table that a person reads after a run."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from agentdyno.report.summary import Metric, Row

DIGITS = {"MiB": 1, "s": 1, "ms": 1, "retries/task": 2, "s/task": 4}


def print_rows(console: Console, found: Sequence[Row], tasks: int) -> None:
    """Print the rows: first memory and outcomes, then where the time of an attempt went; both fit 80
    columns.
    """
    outcomes = Table(title=f"{tasks} tasks a run; medians over the runs", title_justify="left")
    outcomes.add_column("runtime", no_wrap=True)
    for heading in (
        "agents",
        "peak\nMiB",
        "passed",
        "first",
        "recov-\nered",
        "failed",
        "errors",
        "retries\n/task",
        "wall\ns",
    ):
        outcomes.add_column(heading, justify="right", no_wrap=True)
    times = Table(title="Milliseconds of an attempt, p50 / p95 / p99", title_justify="left")
    times.add_column("runtime", no_wrap=True)
    times.add_column("agents", justify="right", no_wrap=True)
    for part in ("overhead", "model", "queue", "verify"):
        times.add_column(part, justify="right")
    for row in found:
        style = None if row.valid else "strike"
        name = (
            row.cell.runtime if row.cell.verifier == "cold" else f"{row.cell.runtime} ({row.cell.verifier})"
        )
        share = row.metrics["pass_rate"].median
        outcomes.add_row(
            name,
            str(row.cell.agents),
            _text(row.metrics["peak_rss_mib"]),
            "–" if share is None else f"{share:.0%}",
            *(
                _text(row.metrics[metric])
                for metric in ("first_attempt_pass", "recovered", "failed", "errors")
            ),
            _text(row.metrics["avg_retries"]),
            _text(row.metrics["wall_s"]),
            style=style,
        )
        times.add_row(
            name,
            str(row.cell.agents),
            *(_percentiles(row, part) for part in ("overhead", "model", "queue", "verify")),
            style=style,
        )
    console.print(outcomes)
    console.print(times)
    for row in found:
        for reason in row.reasons:
            console.print(
                f"INVALID {row.cell.runtime}, {row.cell.agents} agents: {reason}",
                style="red",
                markup=False,
                highlight=False,
            )


def _text(metric: Metric) -> str:
    return "–" if metric.median is None else f"{metric.median:.{DIGITS.get(metric.unit, 0)}f}"


def _percentiles(row: Row, part: str) -> str:
    figures = [row.metrics[f"{part}_ms_{name}"].median for name in ("p50", "p95", "p99")]
    return " / ".join(
        "–" if figure is None else f"{figure:.0f}" if figure >= 100 else f"{figure:.1f}" for figure in figures
    )
