"""An experiment's results, written as they become known."""

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agentdyno.analysis.run_analysis import RunAnalysis
from agentdyno.files import write_json, write_text
from agentdyno.measure.environment import environment
from agentdyno.results.analysis import LEDGER, ExperimentAnalysis
from agentdyno.results.documents import table
from agentdyno.results.summary import SCHEMA_VERSION, Summary, as_json, named, tasks_csv
from agentdyno.rundata import raw_run
from agentdyno.rundata.cell import Cell
from agentdyno.rundata.raw_run import RawRun
from agentdyno.runner.run import TIMEOUTS, TRANSPORT
from agentdyno.runner.settings import Settings

OnRun = Callable[[RawRun], None]
"""Called with every run that is taken in, before it is analysed."""


class Results:
    """The runs so far and what they come to; `summary.json`, `tasks.csv` and `table.md` are written at every
    `add`.
    """

    def __init__(self, settings: Settings, cells: Sequence[Cell], on_run: OnRun) -> None:
        self._settings = settings
        self._on_run = on_run
        self._environment = environment([verifier.versions() for verifier in settings.verifiers])
        self._started = _now()
        self._runs = ExperimentAnalysis(cells, settings.real_endpoint is None, settings.baseline)
        self.summary: Summary = self._runs.summary()

    @property
    def measured(self) -> Sequence[RunAnalysis]:
        """The runs so far, in the order in which they were made."""
        return self._runs.measured

    def add(self, folder: Path, cell: Cell, block: int) -> None:
        """Take in the run in `folder`, and write everything."""
        data = raw_run.read(folder, cell, block)
        self._on_run(data)
        write_text(folder / LEDGER, self._runs.add(data))
        self.summary = self._runs.summary()
        self.write(complete=False)

    def write(self, *, complete: bool) -> None:
        """Write everything anew; `complete` when no run is missing."""
        settings, folder = self._settings, self._settings.folder
        write_text(folder / "tasks.csv", tasks_csv(self.measured))
        write_text(folder / "table.md", table(self.summary.rows))
        write_json(
            folder / "summary.json",
            {
                "schema_version": SCHEMA_VERSION,
                "experiment": {
                    "command": ["agentdyno", *sys.argv[1:]],
                    "started": self._started,
                    "written": _now(),
                    "complete": complete,
                    "simulated": self._runs.simulated,
                    "cells": [named(cell) for cell in self._runs.cells],
                    "runs": self._runs.described,
                    **_asked(settings),
                },
                "environment": self._environment,
                **as_json(self.summary),
            },
        )


def _asked(settings: Settings) -> dict[str, Any]:
    """What the experiment was asked to do."""
    return {
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
        "until_ci": settings.until_ci,
        "max_repeats": settings.max_repeats,
        "controls": list(settings.controls),
        "baseline": settings.baseline,
        "arrivals": settings.arrivals,
        "cgroup": settings.cgroup,
        "references_sha256": settings.references_sha256,
        "profile": settings.served_by,
        "times": settings.times,
        "endpoint": settings.real_endpoint.base_url if settings.real_endpoint else "simulated",
        "model": settings.model,
        "request": settings.request,
        "seed": settings.seed,
        "verifiers": [verifier.name for verifier in settings.verifiers],
        "verify_slots": settings.verify_slots,
        "verify_timeout_s": settings.verify_timeout_s,
        "max_retries": settings.max_retries,
        "timeouts": TIMEOUTS,
        "transport": TRANSPORT,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
