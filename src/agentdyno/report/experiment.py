"""An experiment's results, read back."""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentdyno.analysis import run_data
from agentdyno.analysis.run_data import RunData
from agentdyno.errors import Refusal
from agentdyno.experiment.cell import Cell
from agentdyno.project import RESULTS
from agentdyno.report.runs import Runs
from agentdyno.report.summary import CELL, SCHEMA_VERSION, Findings, from_json


@dataclass(frozen=True, slots=True)
class Run:
    """One run, whose events, journal and samples lie in `folder`."""

    folder: Path
    cell: Cell
    block: int

    def read(self) -> RunData:
        """Everything known of it. A Refusal where its files are gone or cannot be read any more."""
        try:
            return run_data.read(self.folder, self.cell, self.block)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Refusal(
                f"{self.folder}: cannot be read any more ({error}); name results whose runs are whole",
                status=1,
            ) from None


@dataclass(frozen=True, slots=True)
class Experiment:
    """What the summary at `path` says, and what it says of: `runs` in the order in which they were made."""

    path: Path
    summary: dict[str, Any]
    findings: Findings
    runs: list[Run]

    @property
    def folder(self) -> Path:
        """Where its files are; a summary that was copied elsewhere has no others beside it."""
        return self.path.parent

    @property
    def cells(self) -> list[Cell]:
        """What was varied, in the order of the rows."""
        return [Cell(*(cell[name] for name in CELL)) for cell in self.summary["experiment"]["cells"]]

    def runs_of(self, cell: Cell) -> list[Run]:
        """The runs of one row, by block."""
        return sorted((run for run in self.runs if run.cell == cell), key=lambda run: run.block)

    def by_block(self, cell: Cell, metric: str) -> dict[int, float | None]:
        """Each run's figure of one row, by block."""
        row = next(row for row in self.findings.rows if row.cell == cell)
        blocks = [run.block for run in self.runs_of(cell)]
        return dict(zip(blocks, row.metrics[metric].values, strict=True))

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
        help="results of an experiment: its folder or its summary (default: results/latest)",
    )


def open_experiment(results: Path | str) -> Experiment:
    """Read an experiment's folder, or its summary.json wherever that is; a Refusal where there is none of
    this version.
    """
    path = Path(results)
    if path.is_dir() or path.suffix != ".json":
        path = path / "summary.json"
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
        if summary["schema_version"] == SCHEMA_VERSION:
            return Experiment(path, summary, from_json(summary), _runs(path.parent, summary))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise Refusal(
        f"{path}: no summary of this version; name the folder of an experiment, as results/raw/TIME"
    )


def _runs(folder: Path, summary: dict[str, Any]) -> list[Run]:
    return [
        Run(folder / run["folder"], Cell(*(run[name] for name in (*CELL, "control"))), run["block"])
        for run in summary["experiment"]["runs"]
    ]
