"""A sweep as it is printed: a table for each runtime, the cost of an agent and the capacity below it."""

from collections.abc import Sequence

from rich.console import Console

from agentdyno.analysis.registry import METRICS
from agentdyno.format import INVALID
from agentdyno.report.columns import headings
from agentdyno.report.tables import Column, say, show_columns
from agentdyno.results.summary import Row
from agentdyno.results.sweep import SHOWN, Swept, complaints, sentences

GOES_FIRST = (
    "endpoint_cpu_share",
    "endpoint_lateness_ms_p99",
    "max_in_flight",
    "tasks_per_s",
    "cpu_s_per_task",
    "overhead_ms_p99",
)
"""What may be left out, the least important first."""

NOT_VALID = (
    f"{INVALID} not valid: above the capacity, with fewer attempts than percentiles take, or as said below; "
    "table.md has every reason"
)


def print_sweep(console: Console, found: Sequence[Swept], rows: Sequence[Row]) -> None:
    """Print a table of each runtime, the cost of an agent and the capacity below it, and what is wrong."""
    goes_first = [METRICS[name].called for name in GOES_FIRST]
    for each in found:
        title = f"{each.runtime} against agents, times in ms, verifier {each.verifier}"
        show_columns(console, title, _columns(each), goes_first, [point.valid for point in each.points])
        for line in sentences(each):
            say(console, line)
    if not all(point.valid for each in found for point in each.points):
        say(console, NOT_VALID)
    for line in complaints(found, rows):
        say(console, line, "red")


def _columns(each: Swept) -> list[Column]:
    agents = [f"{point.agents:,}{'' if point.valid else f' {INVALID}'}" for point in each.points]
    metrics = [METRICS[name] for name in SHOWN]
    return [
        Column("agents", "agents\n", agents),
        *(
            Column(
                metric.called, heading, [metric.shown(point.metrics[metric.name]) for point in each.points]
            )
            for metric, heading in zip(metrics, headings(metrics), strict=True)
        ),
    ]
