"""`agentdyno ledger`: where the overhead of each row's attempts went."""

import argparse
import json
import statistics
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from agentdyno.analysis import run_data
from agentdyno.analysis.parts import Parts, parts
from agentdyno.errors import Refusal
from agentdyno.experiment.cell import Cell
from agentdyno.project import RESULTS
from agentdyno.report.tables import MISSING, github, show, table

NAMES = (*(field.name for field in fields(Parts)), "overhead")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ledger`."""
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=RESULTS / "latest",
        metavar="DIR",
        help="results of an experiment (default: results/latest)",
    )
    parser.add_argument("--markdown", action="store_true", help="print a table for a README or an issue")


def run(arguments: argparse.Namespace) -> int:
    """Print a line for each row, of all its runs together, and return 0."""
    found = {cell: _means(cell, folders) for cell, folders in _runs(arguments.folder).items()}
    if arguments.markdown:
        print(_markdown(found))
        return 0
    console = Console(markup=False)
    for verifier in dict.fromkeys(cell.verifier for cell in found):
        its = {cell: means for cell, means in found.items() if cell.verifier == verifier}
        show(console, _table(its, f"milliseconds of overhead, means over attempts, verifier {verifier}"))
    return 0


def _runs(folder: Path) -> dict[Cell, list[tuple[int, Path]]]:
    """The runs of each row, as block and folder, in the order of the summary."""
    path = folder / "summary.json"
    try:
        summary: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        found: dict[Cell, list[tuple[int, Path]]] = {
            Cell(row["runtime"], row["agents"], row["verifier"], row["profile"]): []
            for row in summary["rows"]
        }
        for run in summary["experiment"]["runs"]:
            cell = Cell(run["runtime"], run["agents"], run["verifier"], summary["experiment"]["profile"])
            found[cell].append((run["block"], folder / run["folder"]))
    except (OSError, ValueError, KeyError):
        raise Refusal(
            f"{path}: no summary of this version; name the folder of an experiment, as results/raw/TIME"
        ) from None
    return found


def _means(cell: Cell, runs: Sequence[tuple[int, Path]]) -> dict[str, float] | None:
    """The mean of each part over all attempts, and of the overhead; None where no attempt has a ledger."""
    attempts = [found for block, folder in runs for found in parts(run_data.read(folder, cell, block))]
    if not attempts:
        return None
    return {name: statistics.fmean(getattr(found, name) for found in attempts) for name in NAMES}


def _figures(means: dict[str, float] | None) -> list[str]:
    if means is None:
        return [MISSING] * len(NAMES)
    return [
        f"{mean:.0f}" if mean >= 99.95 else f"{mean:.2f}" if mean < 9.995 else f"{mean:.1f}"
        for mean in means.values()
    ]


def _table(found: dict[Cell, dict[str, float] | None], title: str) -> Table:
    made = table(title, ["runtime", "agents", *NAMES])
    for cell, means in found.items():
        made.add_row(cell.runtime, str(cell.agents), *_figures(means))
    return made


def _markdown(found: dict[Cell, dict[str, float] | None]) -> str:
    lines = [
        [cell.verifier, f"{cell.agents:,}", cell.runtime, *_figures(means)] for cell, means in found.items()
    ]
    return "\n".join(github(NAMES, lines))
