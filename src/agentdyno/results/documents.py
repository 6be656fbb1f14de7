"""`table.md`: the rows of an experiment as one table, for a README or an issue."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from agentdyno.format import MISSING
from agentdyno.results.summary import CELL, Metric, Row, named

COLUMNS = {
    "peak MiB": ("peak_rss_mib", ".1f"),
    "×floor": ("peak_rss_x_floor", ".1f"),
    "first": ("first_attempt_pass", ".0f"),
    "recovered": ("recovered", ".0f"),
    "failed": ("failed", ".0f"),
    "errors": ("errors", ".0f"),
    "retries": ("avg_retries", ".2f"),
    "overhead p50 ms": ("overhead_ms_p50", ".1f"),
    "p95": ("overhead_ms_p95", ".1f"),
    "p99": ("overhead_ms_p99", ".1f"),
    "all begun ms": ("all_begun_ms", ".1f"),
    "CPU ms/task": ("cpu_s_per_task", ".1f"),
    "verify p50 ms": ("verify_ms_p50", ".1f"),
    "wall s": ("wall_s", ".1f"),
    "in flight": ("max_in_flight", ".0f"),
    "endpoint late p99 ms": ("endpoint_lateness_ms_p99", ".1f"),
}
"""What is shown, from left to right: the metric and how its median is written."""

SCALE = {"cpu_s_per_task": 1000}
"""Where a column's unit is not the metric's."""

WITH_INTERVAL = ("peak_rss_mib", "overhead_ms_p50", "overhead_ms_p95", "overhead_ms_p99", "cpu_s_per_task")
"""What is the runtime's own doing, and differs from run to run: where there is an interval, it is shown."""


def table(found: Sequence[Row]) -> str:
    """The rows as a GitHub table; the reasons of those that are not valid stand below it."""
    lines = []
    for row in found:
        name = row.cell.runtime if row.valid else f"~~{row.cell.runtime}~~"
        figures = [_text(metric, row.metrics[metric], form) for metric, form in COLUMNS.values()]
        lines.append([row.cell.verifier, f"{row.cell.agents:,}", name, *figures])
    complaints = [f"- {row.complaint(failure)}" for row in found for failure in row.failures]
    made = github(list(COLUMNS), lines)
    return "\n".join([*made, *(["", *complaints] if complaints else []), ""])


def _text(name: str, metric: Metric, form: str) -> str:
    if metric.median is None:
        return MISSING
    scale = SCALE.get(name, 1)
    median = format(metric.median * scale, form)
    if metric.ci95 is None or name not in WITH_INTERVAL:
        return median
    low, high = (format(end * scale, form) for end in metric.ci95)
    return f"{median} ({low}–{high})"


def spreadsheet(rows: Sequence[Row]) -> str:
    """A line a row: what names it, whether it is valid and why not, and of each metric the median and the
    95% interval, as they stand in `summary.json`; what is not known is empty.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*CELL, "valid", "failures", *_headings(rows)])
    for row in rows:
        failures = "; ".join(failure.line for failure in row.failures)
        writer.writerow([*named(row.cell).values(), str(row.valid).lower(), failures, *_figures(row)])
    return text.getvalue()


def _headings(rows: Sequence[Row]) -> Iterator[str]:
    for name, metric in rows[0].metrics.items() if rows else ():
        for figure in ("median", "low", "high"):
            yield f"{name} {figure} [{metric.unit}]"


def _figures(row: Row) -> Iterator[float | None]:
    for metric in row.metrics.values():
        yield metric.median
        yield from metric.ci95 or (None, None)


def github(headings: Sequence[str], lines: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a GitHub table: verifier, agents and runtime, and a column for each of `headings`."""
    rule = ["---", "---:", "---", *["---:"] * len(headings)]
    every = [["verifier", "agents", "runtime", *headings], rule, *lines]
    return [f"| {' | '.join(line)} |" for line in every]
