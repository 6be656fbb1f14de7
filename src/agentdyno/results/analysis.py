"""The runs of an experiment, as they are made or read back."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from agentdyno.analysis.run_analysis import RunAnalysis, analyse
from agentdyno.results.summary import Summary, ledger_csv, summarise
from agentdyno.rundata.cell import Cell
from agentdyno.rundata.raw_run import RawRun

RAW = ("run.json", "outcome.json", "events.jsonl", "journal.jsonl", "samples.jsonl")
"""A run's files from which all its figures come, with the tasks that run.json names."""

LEDGER = "ledger.csv"


@dataclass(slots=True)
class ExperimentAnalysis:
    """ExperimentAnalysis of `cells`, each analysed once.

    `described` is each run as the summary names it: folder, block, cell, and the SHA-256 of its files.
    """

    cells: Sequence[Cell]
    simulated: bool
    baseline: str | None
    measured: list[RunAnalysis] = field(default_factory=list)
    described: list[dict[str, Any]] = field(default_factory=list)

    def add(self, data: RawRun) -> str:
        """Take in a run; returns its ledger as CSV."""
        folder = data.folder
        run, entries = analyse(data)
        ledger = ledger_csv(entries)
        self.measured.append(run)
        files = [path for path in (*(folder / name for name in RAW), data.tasks_file) if path.exists()]
        self.described.append(
            {
                "folder": f"{folder.parent.name}/{folder.name}",
                "block": data.block,
                **asdict(data.cell),
                "sha256": {path.name: _sha256(path) for path in files},
            }
        )
        return ledger

    def summary(self) -> Summary:
        """What the runs have come to."""
        return summarise(self.measured, self.cells, simulated=self.simulated, baseline=self.baseline)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
