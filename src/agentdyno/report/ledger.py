"""`agentdyno ledger`: where the wall time of each row's attempts went."""

import argparse
import statistics
from collections.abc import Iterable, Sequence

from rich.table import Table

from agentdyno.analysis.ledger import OTHERS_DOING, PARTS, Entry, entries
from agentdyno.experiment.cell import Cell
from agentdyno.report.experiment import Run, add_folder, open_experiment
from agentdyno.report.tables import MISSING, console, github, show, table

FIGURES = (*PARTS, "wall", "overhead")
"""The parts of an attempt, what they sum to, and those that are the runtime's own."""

HEADINGS = tuple(f"({name})" if name in OTHERS_DOING else name for name in FIGURES)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ledger`."""
    add_folder(parser)
    parser.add_argument("--markdown", action="store_true", help="print a table for a README or an issue")


def run(arguments: argparse.Namespace) -> int:
    """Print a line for each row, of all its runs together, and return 0."""
    experiment = open_experiment(arguments.folder)
    found = {row.cell: means(ledgers(experiment.runs_of(row.cell))) for row in experiment.findings.rows}
    if arguments.markdown:
        print(_markdown(found))
        return 0
    printed = console()
    for verifier in dict.fromkeys(cell.verifier for cell in found):
        its = {cell: means for cell, means in found.items() if cell.verifier == verifier}
        show(printed, _table(its, f"milliseconds of an attempt, means, verifier {verifier}"))
    printed.print("\n(in parentheses: not overhead)")
    return 0


def ledgers(runs: Iterable[Run]) -> list[Sequence[Entry]]:
    """The attempts of each run."""
    return [entries(run.read()) for run in runs]


def means(runs: Iterable[Sequence[Entry]]) -> list[float] | None:
    """The mean of each of FIGURES over all attempts; None where no attempt has a ledger."""
    found = [entry for attempts in runs for entry in attempts]
    if not found:
        return None
    parts = [statistics.fmean(getattr(entry.parts, name) for entry in found) for name in PARTS]
    wall, overhead = (statistics.fmean(getattr(entry, name) for entry in found) for name in FIGURES[-2:])
    return [*parts, wall, overhead]


def _figures(means: list[float] | None) -> list[str]:
    if means is None:
        return [MISSING] * len(FIGURES)
    return [
        f"{mean:.0f}" if mean >= 99.95 else f"{mean:.2f}" if mean < 9.995 else f"{mean:.1f}" for mean in means
    ]


def _table(found: dict[Cell, list[float] | None], title: str) -> Table:
    made = table(title, ["runtime", "agents", *HEADINGS])
    for cell, means in found.items():
        made.add_row(cell.runtime, str(cell.agents), *_figures(means))
    return made


def _markdown(found: dict[Cell, list[float] | None]) -> str:
    lines = [
        [cell.verifier, f"{cell.agents:,}", cell.runtime, *_figures(means)] for cell, means in found.items()
    ]
    return "\n".join(github(HEADINGS, lines))
