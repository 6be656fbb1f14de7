"""Summaries of experiments that were never made."""

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agentdyno.analysis.controls import Comparison
from agentdyno.results.summary import SCHEMA_VERSION, Row, Summary, as_json, named

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
    "references_sha256": "c" * 64,
    "profile": "steady",
    "times": {"ttft": "200ms", "itl": "20ms"},
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
    "transparent_huge_pages": "always",
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


def write_summary(
    folder: Path,
    rows: Sequence[Row],
    compared: Sequence[Comparison],
    tasks_sha256: str = "a" * 64,
    environment: dict[str, Any] | None = None,
    **asked: Any,
) -> None:
    """Write the summary of an experiment in which `asked` and `environment` were as given."""
    runs = [
        {
            "folder": f"runs/{block:03}-{row.cell.label}",
            "block": block,
            **named(row.cell),
            "control": "",
            "sha256": {"run.json": f"{block}{row.cell.label}", "100.jsonl": tasks_sha256},
        }
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
            **copy.deepcopy(ASKED),
            **asked,
        },
        "environment": ENVIRONMENT | (environment or {}),
        **as_json(Summary(list(rows), list(compared))),
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "summary.json").write_text(json.dumps(document))
