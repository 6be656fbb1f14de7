"""What one more agent costs."""

from collections.abc import Iterator, Mapping, Sequence

from agentdyno.analysis.registry import METRICS
from agentdyno.analysis.slope import Slope, slope
from agentdyno.format import MISSING, figure, interval
from agentdyno.report.figures.against_agents import Plotted, against_agents, has_points
from agentdyno.report.figures.figure import Figure
from agentdyno.report.figures.group import Group
from agentdyno.report.figures.marks import caption
from agentdyno.report.figures.palette import Style
from agentdyno.results.summary import Row
from agentdyno.results.sweep import Swept

MEMORY = METRICS["peak_rss_mib"]
SIZE = (410, 320)


def memory_against_agents(
    group: Group, styles: Mapping[str, Style], found: Sequence[Swept]
) -> Iterator[Figure]:
    """Peak memory against agents, with the slopes that the sweep has found, or, without one, those of the
    rows; nothing for a single number of agents.
    """
    if not has_points(group, MEMORY.name):
        return
    told = {each.runtime: each.memory for each in found if each.verifier == group.verifier}
    slopes = told or {runtime: _slope(rows) for runtime, rows in group.by_runtime().items()}
    names = {runtime: _name(runtime, slopes.get(runtime)) for runtime in group.by_runtime()}
    words = (
        "The peak of the runtime's own processes, medians over the runs. A line that is flat on the left and "
        "rises on the right is a fixed cost and then a cost an agent, which is written at its end: the slope "
        "of a straight line through all runs."
    )
    yield Figure(
        name=f"memory-against-agents-{group.label}",
        title=f"Peak memory against agents, {group.words}",
        caption=caption(words, group.rows, group.rows),
        chart=against_agents(group, styles, Plotted(MEMORY), names, SIZE),
        headings=["runtime", "agents", MEMORY.heading, "95% CI", "valid", "KiB an agent", "95% CI"],
        lines=[
            [
                runtime,
                f"{row.cell.agents:,}",
                MEMORY.shown(metric.median),
                MEMORY.interval(metric.ci95),
                "yes" if row.valid else "no",
                *_cost(slopes.get(runtime)),
            ]
            for runtime, rows in group.by_runtime().items()
            for row in rows
            for metric in [row.metrics[MEMORY.name]]
        ],
    )


def _slope(rows: Sequence[Row]) -> Slope | None:
    """Through the runs of all rows with which nothing is wrong."""
    runs = [
        (row.cell.agents, peak)
        for row in rows
        if row.is_sound
        for peak in row.metrics[MEMORY.name].values
        if peak is not None
    ]
    return slope([agents for agents, _ in runs], [peak for _, peak in runs])


def _name(runtime: str, cost: Slope | None) -> str:
    return runtime if cost is None else f"{runtime}, {figure(cost.kib_per_agent)} KiB an agent"


def _cost(cost: Slope | None) -> list[str]:
    if cost is None:
        return [MISSING, MISSING]
    return [figure(cost.kib_per_agent), interval(cost.ci95)]
