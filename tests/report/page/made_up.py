"""Experiments that were never made, whole enough for a report."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agentdyno.analysis import metrics, reference
from agentdyno.analysis.binding import Binding
from agentdyno.analysis.ceiling import Ceiling
from agentdyno.analysis.controls import COMPARED, Comparison
from agentdyno.analysis.gate import Failure
from agentdyno.analysis.ratio import of_pairs
from agentdyno.analysis.slope import Slope
from agentdyno.analysis.statistics import interval, median
from agentdyno.experiment.cell import Cell
from agentdyno.report.experiment import Experiment, open_experiment
from agentdyno.report.summary import SCHEMA_VERSION, Findings, Metric, Row, as_json, named
from agentdyno.report.sweep import Swept

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ASKED: dict[str, Any] = {
    "command": ["agentdyno", "run"],
    "started": "2026-01-02T03:04:05+00:00",
    "written": "2026-01-02T03:05:06+00:00",
    "complete": True,
    "simulated": True,
    "tasks": "builtin",
    "limit": 100,
    "repeats": 3,
    "until_ci": None,
    "max_repeats": 20,
    "controls": ["twin", "sentinel"],
    "baseline": None,
    "arrivals": "at-once",
    "cgroup": False,
    "profile": "steady",
    "endpoint": "simulated",
    "model": "agentdyno-sim",
    "request": {"max_tokens": 2048, "temperature": 0, "stream_options": {"include_usage": True}},
    "seed": 0,
    "verifiers": ["null"],
    "verify_slots": 2,
    "verify_timeout_s": 10.0,
    "max_retries": 3,
    "timeouts": {"connect_s": 10},
    "transport": {"max_retries": 5},
}
ENVIRONMENT: dict[str, Any] = {
    "cpu": "Fast",
    "cpus": 2,
    "architecture": "x86_64",
    "kernel": "6.1",
    "system": "Debian",
    "memory_mib": 24000,
    "memory_available_mib": 23000,
    "swap_mib": 0,
    "load_average": [0.1, 0.2, 0.3],
    "open_files": {"soft": 1024, "hard": 4096},
    "virtualised": True,
    "python": "3.11.7",
    "verifiers": [{"name": "null"}, {"name": "cold", "python": "3.11.7", "pytest": "9.0"}],
    "agentdyno": "0.1.0",
    "libraries": {"aiohttp": "3.14.5"},
    "git_commit": COMMIT,
    "git_dirty": False,
}


def row(
    runtime: str,
    *runs: float,
    agents: int = 100,
    verifier: str = "null",
    failures: Sequence[Failure] = (),
    **values: Sequence[float | None],
) -> Row:
    """A row whose runs each took so many MiB, as many ms of overhead and as many of processor time a task,
    and what else is said.
    """
    its: dict[str, Sequence[float | None]] = {
        "peak_rss_mib": runs,
        "overhead_ms_p50": runs,
        "cpu_s_per_task": [run / 1000 for run in runs],
        **values,
    }
    of_runs = {name: list(its.get(name, [None] * len(runs))) for name in metrics.UNITS | reference.UNITS}
    found = {
        name: Metric(median(of_runs[name]), interval(of_runs[name]), of_runs[name], unit)
        for name, unit in (metrics.UNITS | reference.UNITS).items()
    }
    return Row(Cell(runtime, agents, verifier, "steady"), list(failures), found, {"peak_rss_mib": "VmHWM"})


def experiment(
    folder: Path,
    *rows: Row,
    compared: Sequence[Comparison] = (),
    environment: dict[str, Any] | None = None,
    **asked: Any,
) -> Experiment:
    """The experiment of these rows and controls, written to `folder` and read back."""
    runs = [
        {"folder": f"runs/{block:03}-{row.cell.label}", "block": block, **named(row.cell), "control": ""}
        for row in rows
        for block in range(1, len(row.metrics["peak_rss_mib"].values) + 1)
    ]
    described = {"language": "Python", "description": "of the tests", "run": ["./run"]}
    document = {
        "schema_version": SCHEMA_VERSION,
        "experiment": {
            "cells": [named(row.cell) for row in rows],
            "runs": runs,
            "runtimes": {row.cell.runtime: described for row in rows},
            **ASKED,
            **asked,
        },
        "environment": ENVIRONMENT | (environment or {}),
        **as_json(Findings(list(rows), list(compared))),
    }
    (folder / "summary.json").write_text(json.dumps(document))
    return open_experiment(folder)


def control(name: str, runtime: str, **ratios: Sequence[float]) -> Comparison:
    """A control in which the runtime was, pair by pair, so many times what it was; as much where not said."""
    found = {metric: of_pairs(ratios.get(metric, [1.0, 1.0, 1.0])) for metric in COMPARED}
    return Comparison(name, runtime, 100, "null", found)


ITS_OWN = Binding("begin", "CPU of the runtime: one core", "0.96 cores", is_runtimes=True)


def swept(runtime: str, kib: float, kept: int, broken: int | None, verifier: str = "null") -> Swept:
    """The memory of an agent is known to 10%."""
    return Swept(
        runtime=runtime,
        verifier=verifier,
        objective_ms=50,
        most_agents=None,
        points=[],
        memory=Slope(kib, (0.9 * kib, 1.1 * kib), 5.0),
        ceiling=Ceiling(kept, broken, [], None if broken is None else ITS_OWN),
    )
