"""The attempts that rows are made of."""

import statistics
from collections.abc import Iterable, Mapping, Sequence

from agentdyno.analysis.ledger import Entry
from agentdyno.report.figures.group import Group
from agentdyno.results.experiment import Experiment
from agentdyno.results.run import Run
from agentdyno.results.summary import Row
from agentdyno.rundata.cell import Cell

Attempts = Mapping[Cell, Sequence[Sequence[Entry]]]
"""The ledgers of each run of a row, by its cell; runs whose files are gone are left out."""


def attempts_of(groups: Iterable[Group], experiment: Experiment) -> Attempts:
    """Those of all rows of the groups."""
    return {
        row.cell: [run.ledger() for run in experiment.runs_of(row.cell) if run.folder.exists()]
        for group in groups
        for row in group.rows
    }


def median_run(experiment: Experiment, row: Row, metric: str) -> Run | None:
    """Of the runs whose files are there, the one with the median of the metric, the lower of the two in the
    middle; None where no run has both.
    """
    runs = [run for run in experiment.runs_of(row.cell) if run.folder.exists()]
    figures = experiment.by_block(row.cell, metric) if runs else {}
    found = [(figure, run) for run in runs if (figure := figures[run.block]) is not None]
    if not found:
        return None
    middle = statistics.median_low([figure for figure, _ in found])
    return next(run for figure, run in found if figure == middle)
