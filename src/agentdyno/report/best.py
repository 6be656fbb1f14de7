"""Which rows a table marks as the best of a column: those that the one rule of difference says lead."""

from collections.abc import Iterable, Sequence

from agentdyno.analysis.difference import Group
from agentdyno.results.experiment import Experiment
from agentdyno.results.groups import group
from agentdyno.results.summary import Row
from agentdyno.rundata.cell import Cell


def compared(experiment: Experiment, rows: Sequence[Row], metric: str) -> list[Group[Cell]]:
    """The rows of one verifier that compete in a metric: a group for each number of agents."""
    firsts = {row.cell.agents: row.cell for row in rows}
    return [group(experiment, cell, metric) for cell in firsts.values()]


def best(groups: Iterable[Group[Cell]]) -> set[Cell]:
    """The rows that no row with as many agents surely takes less than; none where no row can be told from
    another.
    """
    return {leader for found in groups for leader in found.leaders}


def over_best_other(groups: Iterable[Group[Cell]]) -> dict[Cell, tuple[float, float] | None]:
    """How many times the best of the others each competing row is, as a 95% CI: above 1 as a whole where the
    row is beaten, and below 1 where it leads alone.
    """
    return {cell: found.over_best_other(cell) for found in groups for cell in found.rows}
