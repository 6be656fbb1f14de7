"""Summaries of experiments that were never made, the figures of which can be checked by hand."""

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agentdyno.analysis.controls import Comparison
from agentdyno.analysis.gate import Failure
from agentdyno.analysis.limit import METRICS
from agentdyno.analysis.statistics import interval, median
from agentdyno.experiment.cell import Cell
from agentdyno.report.summary import SCHEMA_VERSION, Findings, Metric, Row, as_json, named

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ASKED: dict[str, Any] = {
    "started": "2026-01-02T03:04:05+00:00",
    "written": "2026-01-02T03:05:06+00:00",
    "complete": True,
    "simulated": True,
    "tasks": "builtin",
    "limit": 100,
    "baseline": None,
    "arrivals": "at-once",
    "profile": "steady",
    "endpoint": "simulated",
    "model": "agentdyno-sim",
    "request": {"temperature": 0},
    "seed": 0,
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
    "python": "3.11.7",
    "verifiers": [{"name": "null"}, {"name": "cold", "python": "3.11.7", "pytest": "9.0"}],
    "agentdyno": "0.1.0",
    "libraries": {"aiohttp": "3.14.5"},
    "git_commit": COMMIT,
    "git_dirty": False,
}
METHODS: dict[str, str | None] = {"peak_rss_mib": "VmHWM", "tree_peak_cgroup_mib": None}
FAULT = Failure("ended in order", 2, "it crashed", "mend it", is_fault=True)
BUSY = Failure("no swap", 1, "3 pages were swapped", "free memory", is_fault=False)


def row(
    runtime: str = "python",
    agents: int = 100,
    verifier: str = "null",
    failures: Sequence[Failure] = (),
    methods: dict[str, str | None] = METHODS,
    **values: Sequence[float | None],
) -> Row:
    """A row that has nothing but these values of its runs."""
    runs = max(map(len, values.values()), default=3)
    every = {metric: list(values.get(metric, [None] * runs)) for metric in METRICS}
    metrics = {
        metric: Metric(median(its), interval(its), its, METRICS[metric]) for metric, its in every.items()
    }
    return Row(Cell(runtime, agents, verifier, "steady"), list(failures), metrics, methods)


def experiment(
    folder: Path,
    *rows: Row,
    controls: Sequence[Comparison] = (),
    tasks_sha256: str = "a" * 64,
    environment: dict[str, Any] | None = None,
    **asked: Any,
) -> Path:
    """Write the summary of an experiment in which `asked` and `environment` were as given."""
    runs = [
        {
            "folder": f"runs/{block:03}-{each.cell.label}",
            "block": block,
            **named(each.cell),
            "control": "",
            "sha256": {"run.json": f"{block}{each.cell.label}", "100.jsonl": tasks_sha256},
        }
        for each in rows
        for block in range(1, len(each.metrics["peak_rss_mib"].values) + 1)
    ]
    document = {
        "schema_version": SCHEMA_VERSION,
        "experiment": copy.deepcopy(ASKED)
        | {"cells": [named(each.cell) for each in rows], "runs": runs}
        | asked,
        "environment": ENVIRONMENT | (environment or {}),
        **as_json(Findings(list(rows), list(controls))),
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "summary.json").write_text(json.dumps(document))
    return folder
