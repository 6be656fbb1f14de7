"""The results of an experiment: its runs as they are made, and everything read back."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from agentdyno.analysis.run_analysis import RunAnalysis, analyse
from agentdyno.errors import UserError
from agentdyno.reading import Missing, Unreadable, read_json, sha256_of_file
from agentdyno.results.record_kinds import (
    Attempt,
    Request,
    Sample,
    Task,
    Value,
    attempts,
    requests,
    samples,
    tasks,
    values,
)
from agentdyno.results.records import Records, Run
from agentdyno.results.summary import CELL, SCHEMA_VERSION, Row, Summary, ledger_csv, summarise
from agentdyno.results.summary_file import summary_of
from agentdyno.rundata.cell import Cell
from agentdyno.rundata.raw_run import REMEDY, RawRun
from agentdyno.shape import Json, Unfit

RAW = ("run.json", "outcome.json", "events.jsonl", "journal.jsonl", "receipts.jsonl", "samples.jsonl")
"""A run's files from which all its figures come, with the tasks that run.json names."""

LEDGER = "ledger.csv"


@dataclass(slots=True)
class ExperimentAnalysis:
    """The runs of `cells`, each analysed once.

    `measured` are those that count: of a cell's runs in one block the last, because a run that was disturbed
    is made again. `described` is every run as the summary names it: folder, block, cell, and the SHA-256 of
    its files.
    """

    cells: Sequence[Cell]
    simulated: bool
    baseline: str | None
    measured: list[RunAnalysis] = field(default_factory=list)
    described: list[dict[str, Any]] = field(default_factory=list)

    def add(self, data: RawRun) -> Iterator[str]:
        """Take in a run; returns the lines of its ledger as CSV."""
        folder = data.folder
        run, entries = analyse(data)
        again = run.block, run.cell
        self.measured = [before for before in self.measured if (before.block, before.cell) != again]
        self.measured.append(self._sharing(run))
        shared = [data.tasks_file, *([data.prompts_file] if data.prompts_file and not data.is_of_0_1 else [])]
        files = [path for path in (*(folder / name for name in RAW), *shared) if path.exists()]
        self.described.append(
            {
                "folder": f"{folder.parent.name}/{folder.name}",
                "block": data.block,
                **asdict(data.cell),
                "sha256": {path.name: sha256_of_file(path, REMEDY) for path in files},
            }
        )
        return ledger_csv(entries)

    def _sharing(self, run: RunAnalysis) -> RunAnalysis:
        """The run with the requests and outcomes of an earlier run where these are equal."""
        for before in reversed(self.measured):
            if before.requests == run.requests and before.outcomes == run.outcomes:
                return replace(run, requests=before.requests, outcomes=before.outcomes)
        return run

    def summary(self) -> Summary:
        """What the runs have come to."""
        return summarise(self.measured, self.cells, simulated=self.simulated, baseline=self.baseline)


@dataclass(frozen=True, slots=True)
class Experiment:
    """One experiment: `document` is the JSON at `path`, `summary` what follows from its runs, and `all_runs`
    where each of them lies, in the order in which they were made.
    """

    path: Path
    document: dict[str, Any] = field(repr=False)
    summary: Summary = field(repr=False)
    all_runs: list[Run] = field(repr=False)

    @property
    def runs(self) -> list[Run]:
        """The runs that count: without those that were made again."""
        last = {(run.block, run.cell): run for run in self.all_runs}
        return [run for run in self.all_runs if last[run.block, run.cell] is run]

    @property
    def made_again(self) -> int:
        """How many runs were made again, because other programs disturbed them."""
        return len(self.all_runs) - len(self.runs)

    @property
    def folder(self) -> Path:
        """Where its files are; a summary that was copied elsewhere has no others beside it."""
        return self.path.parent

    @property
    def cells(self) -> list[Cell]:
        """What was varied, in the order of the rows."""
        return [Cell(*(cell[name] for name in CELL)) for cell in self.document["experiment"]["cells"]]

    @property
    def rows(self) -> list[Row]:
        """The rows of the table, those that are not valid among them."""
        return self.summary.rows

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
        row = next(row for row in self.summary.rows if row.cell == cell)
        blocks = [run.block for run in self.runs_of(cell)]
        return dict(zip(blocks, row.metrics[metric].values, strict=True))

    def unanalysed(self) -> ExperimentAnalysis:
        """An analysis of the experiment that holds no run yet; runs are added one by one."""
        asked = self.document["experiment"]
        return ExperimentAnalysis(self.cells, asked["simulated"], asked["baseline"])


def recorded_hashes(folder: Path) -> dict[str, dict[str, str]]:
    """The hashes of the files of each run by the run's folder, as the summary in `folder` holds them; empty
    where there is no summary that can be read.
    """
    try:
        runs = open_experiment(folder).document["experiment"]["runs"]
    except UserError:
        return {}
    return {run["folder"]: run["sha256"] for run in runs}


NOT_THERE = "name the folder of an experiment, as results/raw/TIME"
DAMAGED = "restore it, or measure again"


def open_experiment(results: Path | str) -> Experiment:
    """Read an experiment's folder, or its summary.json wherever that is.

    A UserError says whether there is no summary, one of another version, or one that is damaged, and where.
    """
    path = Path(results)
    if path.is_dir() or path.suffix != ".json":
        path = path / "summary.json"
    try:
        document = read_json(path, dict[str, Json], DAMAGED)
    except Missing:
        raise Missing(path, "no such file", NOT_THERE) from None
    version = document.get("schema_version")
    if version != SCHEMA_VERSION or type(version) is not int:
        raise UserError(
            f"{path}: is no summary of schema version {SCHEMA_VERSION} (schema_version is "
            f"{json.dumps(version)[:20]}); {NOT_THERE}, or measure again with this version"
        )
    try:
        return Experiment(path, document, summary_of(document), _runs(path.parent, document))
    except Unfit as damage:
        raise Unreadable(path, str(damage), DAMAGED) from None


def _runs(folder: Path, summary: dict[str, Any]) -> list[Run]:
    return [
        Run(folder / run["folder"], Cell(*(run[name] for name in (*CELL, "control"))), run["block"])
        for run in summary["experiment"]["runs"]
    ]
