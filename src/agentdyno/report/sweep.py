"""A sweep as it is printed: a table for each runtime, the cost of an agent and the capacity below it."""

from collections.abc import Sequence

from rich.console import Console

from agentdyno.format import INVALID
from agentdyno.report.tables import Column, say, show_columns
from agentdyno.results.summary import Row
from agentdyno.results.sweep import HEADINGS, Swept, complaints, figures, heading_name, sentences

GOES_FIRST = ("its CPU", "endpoint late p99", "in flight", "tasks/s", "CPU ms/task", "p99 ms")
"""What may be left out, the least important first."""

NOT_VALID = (
    f"{INVALID} not valid: above the capacity, with fewer attempts than percentiles take, or as said below; "
    "table.md has every reason"
)


def print_sweep(console: Console, found: Sequence[Swept], rows: Sequence[Row]) -> None:
    """Print a table of each runtime, the cost of an agent and the ceiling below it, and what is wrong."""
    for each in found:
        title = f"{each.runtime} against agents, verifier {each.verifier}"
        show_columns(console, title, _columns(each), GOES_FIRST, [point.valid for point in each.points])
        for line in sentences(each):
            say(console, line)
    if not all(point.valid for each in found for point in each.points):
        say(console, NOT_VALID)
    for line in complaints(found, rows):
        say(console, line, "red")


def _columns(each: Swept) -> list[Column]:
    agents = [f"{point.agents:,}{'' if point.valid else f' {INVALID}'}" for point in each.points]
    cells_of = zip(*map(figures, each.points), strict=True)
    return [
        Column("agents", "agents\n", agents),
        *(
            Column(heading_name(heading), heading, list(cells))
            for heading, cells in zip(HEADINGS, cells_of, strict=True)
        ),
    ]
