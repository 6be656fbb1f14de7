"""An experiment's folder, read back."""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentdyno.errors import Refusal
from agentdyno.experiment.cell import Cell
from agentdyno.project import RESULTS
from agentdyno.report.runs import Runs
from agentdyno.report.summary import SCHEMA_VERSION

CELL = ("runtime", "agents", "verifier", "profile")


@dataclass(frozen=True, slots=True)
class Experiment:
    """What `summary.json` in `folder` says."""

    folder: Path
    summary: dict[str, Any]

    @property
    def cells(self) -> list[Cell]:
        """What was varied, in the order of the rows."""
        return [Cell(*(cell[name] for name in CELL)) for cell in self.summary["experiment"]["cells"]]

    def runs(self) -> Iterator[tuple[Path, Cell, int]]:
        """Folder, cell and block of each run, in the order in which they were made."""
        for run in self.summary["experiment"]["runs"]:
            cell = Cell(*(run[name] for name in (*CELL, "control")))
            yield self.folder / run["folder"], cell, run["block"]

    def nothing(self) -> Runs:
        """None of its runs yet, to be taken in one by one."""
        asked = self.summary["experiment"]
        return Runs(self.cells, asked["simulated"], asked["baseline"])


def add_folder(parser: argparse.ArgumentParser) -> None:
    """Declare the argument that names an experiment."""
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=RESULTS / "latest",
        metavar="DIR",
        help="results of an experiment (default: results/latest)",
    )


def open_experiment(folder: Path) -> Experiment:
    """Read the summary in `folder`; a Refusal where there is none of this version."""
    path = folder / "summary.json"
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
        if summary["schema_version"] == SCHEMA_VERSION:
            return Experiment(folder, summary)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise Refusal(
        f"{path}: no summary of this version; name the folder of an experiment, as results/raw/TIME"
    )
