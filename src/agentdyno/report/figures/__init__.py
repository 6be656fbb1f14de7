"""The figures of an experiment."""

from collections.abc import Iterator
from dataclasses import replace

from agentdyno.analysis.metric import Kind
from agentdyno.report.figures.against_agents import memory_against_agents
from agentdyno.report.figures.figure import Figure, attempts_of, by_agents, groups
from agentdyno.report.figures.ledger import ledger
from agentdyno.report.figures.marks import palette
from agentdyno.report.figures.memory_over_time import memory_over_time
from agentdyno.report.figures.overhead import overhead
from agentdyno.report.figures.peak_memory import peak_memory
from agentdyno.report.figures.swim_lanes import chosen, swim_lanes
from agentdyno.report.figures.theme import Theme, png, svg
from agentdyno.report.figures.throughput_and_tail import throughput_and_tail
from agentdyno.results.experiment import Experiment
from agentdyno.results.sweep import read_swept

__all__ = ["Figure", "Theme", "figures", "png", "svg"]


def figures(experiment: Experiment, run: str | None = None) -> Iterator[Figure]:
    """The figures that there are data for, the most wanted first.

    `run` names the run whose agents are shown one by one, as the folder is called that its files are in.
    """
    rows = experiment.summary.rows
    runtimes = experiment.document["experiment"]["runtimes"]
    styles = palette(
        dict.fromkeys(row.cell.runtime for row in rows),
        {name: runtime["language"] for name, runtime in runtimes.items()},
    )
    found = read_swept(experiment.path)
    every = groups(rows)
    of_agents = by_agents(every)
    lanes_of = chosen(experiment, run, of_agents[0].rows if of_agents else [])
    for group in every:
        yield from memory_against_agents(group, styles, found)
        yield from throughput_and_tail(group, styles, found)
    for group in of_agents:
        yield from peak_memory(group, styles)
    attempts = attempts_of(of_agents, experiment)
    for group in of_agents:
        yield from overhead(group, styles, attempts)
    for group in of_agents:
        yield from ledger(group, attempts)
    for group in of_agents:
        yield from memory_over_time(group, styles, experiment)
    if lanes_of is not None:
        valid = all(row.is_valid(Kind.TIME) for row in rows if row.cell == replace(lanes_of.cell, control=""))
        yield from swim_lanes(lanes_of, valid=valid)
