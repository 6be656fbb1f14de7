"""The attempts that rows are made of."""

from collections.abc import Iterable, Mapping, Sequence

from agentdyno.analysis.ledger import Entry
from agentdyno.experiment.cell import Cell
from agentdyno.report.experiment import Experiment
from agentdyno.report.figures.group import Group
from agentdyno.report.ledger import ledgers

Attempts = Mapping[Cell, Sequence[Sequence[Entry]]]
"""The ledgers of each run of a row, by its cell; runs whose files are gone are left out."""


def attempts_of(groups: Iterable[Group], experiment: Experiment) -> Attempts:
    """Those of all rows of the groups."""
    return {
        row.cell: ledgers(run for run in experiment.runs_of(row.cell) if run.folder.exists())
        for group in groups
        for row in group.rows
    }
