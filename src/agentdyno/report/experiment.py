"""An experiment's results, read back."""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agentdyno.analysis import run_data
from agentdyno.analysis.run_data import RunData
from agentdyno.errors import Refusal
from agentdyno.experiment.cell import Cell
from agentdyno.project import RESULTS
from agentdyno.records.attempt import Attempt, attempts
from agentdyno.records.records import Records
from agentdyno.records.request import Request, requests
from agentdyno.records.sample import Sample, samples
from agentdyno.records.task import Task, tasks
from agentdyno.records.value import Value, values
from agentdyno.report.runs import Runs
from agentdyno.report.summary import CELL, SCHEMA_VERSION, Findings, Row, from_json


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
    summary: dict[str, Any] = field(repr=False)
    findings: Findings = field(repr=False)
    runs: list[Run] = field(repr=False)

    @property
    def folder(self) -> Path:
        """Where its files are; a summary that was copied elsewhere has no others beside it."""
        return self.path.parent

    @property
    def cells(self) -> list[Cell]:
        """What was varied, in the order of the rows."""
        return [Cell(*(cell[name] for name in CELL)) for cell in self.summary["experiment"]["cells"]]

    @property
    def rows(self) -> list[Row]:
        """The rows of the table, those that are not valid among them."""
        return self.findings.rows

    @property
    def values(self) -> Records[Value]:
        """Every figure of every run that the rows are made of; these are in the summary itself."""
        return Records(Value, self.runs, self._values_of)

    @property
    def tasks(self) -> Records[Task]:
        """What came of each task of each run."""
        return Records(Task, self.runs, lambda run: tasks(run.read()))

    @property
    def attempts(self) -> Records[Attempt]:
        """Every attempt of every run, each with its ledger."""
        return Records(Attempt, self.runs, lambda run: attempts(run.read()))

    @property
    def requests(self) -> Records[Request]:
        """Every request of every run, as the endpoint saw it."""
        return Records(Request, self.runs, lambda run: requests(run.read()))

    @property
    def samples(self) -> Records[Sample]:
        """Every look at every run's memory and processor time."""
        return Records(Sample, self.runs, lambda run: samples(run.read()))

    def _values_of(self, run: Run) -> Iterator[Value]:
        row = next((row for row in self.rows if row.cell == run.cell), None)
        # Controls have no row of their own.
        return values(row, run.block, self.runs_of(run.cell).index(run)) if row else iter(())

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
