"""`table.md`: the rows of an experiment as one table, for a README or an issue."""

from collections.abc import Sequence

from agentdyno.report.summary import Metric, Row
from agentdyno.report.tables import MISSING, github

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
