"""`agentdyno ledger`: where the wall time of each row's attempts went."""

import argparse

from rich.table import Table

from agentdyno.analysis.ledger import FIGURES, NOT_OVERHEAD, means
from agentdyno.format import MISSING, figure
from agentdyno.options import add_folder
from agentdyno.report.tables import console, show, table
from agentdyno.results.documents import github
from agentdyno.results.experiment import open_experiment
from agentdyno.rundata.cell import Cell

HEADINGS = tuple(f"({name})" if name in NOT_OVERHEAD else name for name in FIGURES)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ledger`."""
    add_folder(parser)
    parser.add_argument("--markdown", action="store_true", help="print a table for a README or an issue")


def run(arguments: argparse.Namespace) -> int:
    """Print a line for each row, of all its runs together, and return 0."""
    experiment = open_experiment(arguments.folder)
    found = {
        row.cell: means(run.ledger() for run in experiment.runs_of(row.cell))
        for row in experiment.summary.rows
    }
    if arguments.markdown:
        print(_markdown(found))
        return 0
    printed = console()
    for verifier in dict.fromkeys(cell.verifier for cell in found):
        its = {cell: mean for cell, mean in found.items() if cell.verifier == verifier}
        show(printed, _table(its, f"milliseconds of an attempt, means, verifier {verifier}"))
    printed.print("\n(in parentheses: not overhead)")
    return 0


def _figures(means: list[float] | None) -> list[str]:
    if means is None:
        return [MISSING] * len(FIGURES)
    return list(map(figure, means))


def _table(found: dict[Cell, list[float] | None], title: str) -> Table:
    made = table(title, ["runtime", "agents", *HEADINGS])
    for cell, mean in found.items():
        made.add_row(cell.runtime, f"{cell.agents:,}", *_figures(mean))
    return made


def _markdown(found: dict[Cell, list[float] | None]) -> str:
    lines = [
        [cell.verifier, f"{cell.agents:,}", cell.runtime, *_figures(mean)] for cell, mean in found.items()
    ]
    return "\n".join(github(HEADINGS, lines))
