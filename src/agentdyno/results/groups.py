"""The rows of an experiment that compete with each other in a metric, compared by the one rule."""

from collections.abc import Sequence

from agentdyno.analysis.difference import Blocks, Control, Group, compare_rows
from agentdyno.analysis.ratio import FLOOR
from agentdyno.results.experiment import Experiment
from agentdyno.results.summary import Row
from agentdyno.rundata.cell import AA_CONTROL, Cell


def competing(rows: Sequence[Row], metric: str) -> list[Row]:
    """The rows with a valid figure of `metric`; not the floor, which is the practical limit and no choice."""
    return [row for row in rows if row.has_valid(metric) and row.cell.runtime != FLOOR]


def group(experiment: Experiment, cell: Cell, metric: str, *others: Cell) -> Group[Cell]:
    """The rows that compete with each other at `cell`'s number of agents, verifier and profile, and `others`
    whether these compete or not.
    """
    conditions = _conditions(cell)
    wanted = {row.cell for row in competing(experiment.rows, metric)} | set(others)
    rows = [row for row in experiment.rows if row.cell in wanted and _conditions(row.cell) == conditions]
    figures = {row.cell: experiment.by_block(row.cell, metric) for row in rows}
    return compare_rows(figures, next(iter(controls(experiment, cell, metric)), None))


def controls(experiment: Experiment, cell: Cell, metric: str) -> list[Control]:
    """The A/A controls that were run with as many agents and the same verifier as `cell`."""
    found: list[Control] = []
    for comparison in experiment.summary.comparisons:
        ratio = comparison.ratios.get(metric)
        if comparison.control != AA_CONTROL or ratio is None:
            continue
        row = next((row for row in experiment.rows if _is_of(row, comparison.runtime, cell)), None)
        if row is None or (comparison.agents, comparison.verifier) != (cell.agents, cell.verifier):
            continue
        figures = experiment.by_block(row.cell, metric)
        repeated = dict(zip(figures, ratio.values, strict=False))
        found.append(Control(figures, _times(figures, repeated)))
    return found


def _times(figures: Blocks, ratios: Blocks) -> dict[int, float | None]:
    """The control's own figures, of which the summary keeps the ratios to the row that they repeat."""
    return {
        block: None if figure is None or (ratio := ratios.get(block)) is None else figure * ratio
        for block, figure in figures.items()
    }


def _is_of(row: Row, runtime: str, cell: Cell) -> bool:
    return row.cell.runtime == runtime and _conditions(row.cell) == _conditions(cell)


def _conditions(cell: Cell) -> tuple[int, str, str]:
    return cell.agents, cell.verifier, cell.profile
