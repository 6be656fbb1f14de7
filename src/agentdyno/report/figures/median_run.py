"""The run that stands for a row where only one can be shown."""

import statistics

from agentdyno.report.experiment import Experiment, Run
from agentdyno.report.summary import Row


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
