"""An experiment's results, written as they become known."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agentdyno.analysis import run_data
from agentdyno.analysis.measured import MeasuredRun, analyse
from agentdyno.experiment.cell import Cell
from agentdyno.experiment.run import TIMEOUTS, TRANSPORT
from agentdyno.experiment.settings import Settings
from agentdyno.measure.environment import environment
from agentdyno.report.markdown import write_table
from agentdyno.report.summary import Row, rows, write_summary, write_tasks


class Results:
    """The runs so far and the rows that they make; `summary.json`, `tasks.csv` and `table.md` are written
    at every `add`.
    """

    def __init__(self, settings: Settings, cells: Sequence[Cell], plan: Sequence[tuple[int, Cell]]) -> None:
        self.rows: list[Row] = []
        self._settings = settings
        self._cells = cells
        self._plan = plan
        self._environment = environment(settings.verifiers)
        self._started = _now()
        self._runs: dict[Path, MeasuredRun] = {}

    def add(self, folder: Path, cell: Cell, block: int, *, interrupted: bool = False) -> None:
        """Take in the run in `folder`, if there was one, and write everything."""
        if folder not in self._runs and (folder / "outcome.json").exists():
            self._runs[folder] = analyse(run_data.read(folder, cell, block))
        runs = list(self._runs.values())
        self.rows = rows(runs, self._cells, simulated=self._settings.real_endpoint is None)
        write_tasks(self._settings.folder / "tasks.csv", runs)
        described = self._described(runs, interrupted=interrupted)
        write_summary(self._settings.folder / "summary.json", described, self._environment, self.rows)
        write_table(self._settings.folder / "table.md", self.rows)

    def _described(self, runs: Sequence[MeasuredRun], *, interrupted: bool) -> dict[str, Any]:
        """What was asked and how far it came."""
        settings = self._settings
        done = sum(not run.interrupted for run in runs)
        return {
            "command": ["agentdyno", *sys.argv[1:]],
            "started": self._started,
            "written": _now(),
            "complete": done == len(self._plan),
            "interrupted": interrupted,
            "runs_planned": len(self._plan),
            "runs_done": done,
            "order": [_named(cell, block) for block, cell in self._plan],
            "runs": [{"folder": f"runs/{run.folder.name}"} | _named(run.cell, run.block) for run in runs],
            "runtimes": {
                manifest.name: {
                    "language": manifest.language,
                    "description": manifest.description,
                    "run": list(manifest.run),
                }
                for manifest in settings.runtimes
            },
            "tasks": settings.tasks_source,
            "limit": settings.limit,
            "repeats": settings.repeats,
            "seed": settings.seed,
            "profile": settings.served_by,
            "endpoint": settings.real_endpoint.base_url if settings.real_endpoint else "simulated",
            "model": settings.model,
            "request": settings.request,
            "verifiers": [verifier.name for verifier in settings.verifiers],
            "verify_slots": settings.verify_slots,
            "verify_timeout_s": settings.verify_timeout_s,
            "max_retries": settings.max_retries,
            "timeouts": TIMEOUTS,
            "transport": TRANSPORT,
        }


def _named(cell: Cell, block: int) -> dict[str, Any]:
    return {"block": block, "runtime": cell.runtime, "agents": cell.agents, "verifier": cell.verifier}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
