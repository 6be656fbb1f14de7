"""Writes the results of an experiment as they become known."""

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from agentdyno.analysis.run_analysis import RunAnalysis
from agentdyno.files import write_json, write_lines, write_text
from agentdyno.measure.machine import environment
from agentdyno.results.documents import table
from agentdyno.results.experiment import LEDGER, ExperimentAnalysis
from agentdyno.results.summary import SCHEMA_VERSION, Summary, as_json, named, tasks_csv
from agentdyno.rundata.cell import Cell
from agentdyno.rundata.raw_run import RawRun
from agentdyno.runner.prepare import Prepared
from agentdyno.runner.settings import Settings
from agentdyno.runner.told import TRANSPORT
from agentdyno.runtimes.contender import contender_sha256

OnRun = Callable[[RawRun], None]
"""Called with every run that is taken in, before it is analysed."""


class ResultsWriter:
    """Takes in run after run; `summary.json`, `tasks.csv` and `table.md` are written at every `add`.

    `contenders` are the hashes of the runtimes, by name.
    """

    def __init__(self, prepared: Prepared, cells: Sequence[Cell], on_run: OnRun) -> None:
        self._prepared = prepared
        self._on_run = on_run
        self._environment = environment([verifier.versions() for verifier in prepared.verifiers])
        self._started = _now()
        self.contenders = {each.name: contender_sha256(each) for each in prepared.runtimes}
        settings = prepared.settings
        self._runs = ExperimentAnalysis(cells, settings.real_endpoint is None, settings.baseline)
        self.summary: Summary = self._runs.summary()

    @property
    def measured(self) -> Sequence[RunAnalysis]:
        """The runs so far, in the order in which they were made."""
        return self._runs.measured

    def has(self, block: int, cell: Cell) -> bool:
        """Whether there is a run of the cell in this block."""
        return any((run.block, run.cell) == (block, cell) for run in self.measured)

    def add(self, run: RawRun) -> None:
        """Take in a run, and write everything."""
        self._on_run(run)
        write_lines(run.folder / LEDGER, self._runs.add(run))
        self.summary = self._runs.summary()
        self.write(complete=False)

    def write(self, *, complete: bool) -> None:
        """Write everything anew; `complete` when no run is missing."""
        folder = self._prepared.folder
        write_lines(folder / "tasks.csv", tasks_csv(self.measured))
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
                    **_asked(self._prepared, self.contenders),
                },
                "environment": self._environment,
                **as_json(self.summary),
            },
        )


def _asked(prepared: Prepared, hashes: Mapping[str, str]) -> dict[str, Any]:
    """What the experiment was asked to do."""
    settings = prepared.settings
    return {
        "runtimes": {
            manifest.name: {
                "language": manifest.language,
                "description": manifest.description,
                "run": list(manifest.run),
                "sha256": hashes[manifest.name],
            }
            for manifest in prepared.runtimes
        },
        "tasks": settings.tasks,
        "limit": settings.limit,
        "repeats": settings.least_repeats,
        "until_ci": settings.until_ci,
        "max_repeats": settings.max_repeats,
        "controls": list(settings.controls),
        "baseline": settings.baseline,
        "arrivals": settings.arrivals,
        "cgroup": settings.cgroup,
        "references_sha256": prepared.references_sha256,
        "profile": settings.served_by,
        "times": prepared.times,
        "endpoint": settings.real_endpoint.base_url if settings.real_endpoint else "simulated",
        "model": settings.model,
        "request": dict(settings.request),
        **({"connection": connection} if (connection := _connection(settings)) else {}),
        "seed": settings.seed,
        "verifiers": list(settings.verifiers),
        "verify_slots": settings.verify_slots,
        "verify_timeout_s": settings.verify_timeout_s,
        "max_retries": settings.max_retries,
        "timeouts": settings.timeouts,
        "transport": TRANSPORT,
    }


def _connection(settings: Settings) -> dict[str, Any]:
    """How a real endpoint was reached, where that was not the usual way."""
    ways = {
        "proxy": settings.proxy,
        "ca_bundle": settings.ca_bundle,
        "headers": dict(settings.headers) or None,
        "system_role": None if settings.system_role else False,
    }
    return {name: value for name, value in ways.items() if value is not None}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
