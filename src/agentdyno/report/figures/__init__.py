"""The figures of an experiment."""

from collections.abc import Iterator

from agentdyno.report.experiment import Experiment
from agentdyno.report.figures.figure import Figure
from agentdyno.report.figures.group import groups
from agentdyno.report.figures.ledger import ledger
from agentdyno.report.figures.memory_over_time import memory_over_time
from agentdyno.report.figures.overhead import overhead
from agentdyno.report.figures.palette import palette
from agentdyno.report.figures.peak_memory import peak_memory
from agentdyno.report.figures.swim_lanes import chosen, swim_lanes
from agentdyno.report.figures.theme import Theme, png, svg

__all__ = ["Figure", "Theme", "figures", "png", "svg"]


def figures(experiment: Experiment, run: str | None = None) -> Iterator[Figure]:
    """The figures that there are data for, the most wanted first.

    `run` names the run whose agents are shown one by one, as the folder is called that its files are in.
    """
    rows = experiment.findings.rows
    runtimes = experiment.summary["experiment"]["runtimes"]
    styles = palette(
        dict.fromkeys(row.cell.runtime for row in rows),
        {name: runtime["language"] for name, runtime in runtimes.items()},
    )
    lanes_of = chosen(experiment, run)
    comparable = groups(rows)
    for group in comparable:
        yield from peak_memory(group, styles)
    for group in comparable:
        yield from overhead(group, styles, experiment)
    for group in comparable:
        yield from ledger(group, experiment)
    for group in comparable:
        yield from memory_over_time(group, styles, experiment)
    if lanes_of is not None:
        yield from swim_lanes(lanes_of)
