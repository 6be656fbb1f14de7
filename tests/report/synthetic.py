"""Made-up findings: what a person would see after a run that nobody had to wait for."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agentdyno.analysis.controls import Comparison
from agentdyno.analysis.gate import ALL, Failure
from agentdyno.analysis.metric import Kind
from agentdyno.analysis.registry import METRICS
from agentdyno.results.experiment import Experiment
from agentdyno.results.records import Run
from agentdyno.results.summary import SCHEMA_VERSION, Metric, Row, Summary, as_json, named
from agentdyno.rundata.cell import Cell
from report.synthetic_summary import ASKED, ENVIRONMENT

Figure = float | tuple[float, float, float] | None
"""A median, or one with the low and the high end of its interval."""

OF_ALL = {
    "pass_rate": 0.96,
    "first_attempt_pass": 87,
    "recovered": 9,
    "failed": 4,
    "errors": 0,
    "avg_retries": 0.27,
    "wall_s": 37.9,
    "model_ms_p50": 5781.0,
    "model_ms_p99": 8207.0,
    "queue_ms_p50": 2134.0,
    "queue_ms_p99": 4956.0,
    "verify_ms_p50": 186.0,
    "verify_ms_p99": 346.0,
}

LATE = Failure(
    "endpoint on time",
    1,
    "the endpoint was late, p99 12.4 ms (limit 10 ms)",
    "give it a free core",
    is_fault=False,
    kinds=[Kind.TIME],
)
SPOILT = Failure("no swap", 1, "the machine swapped", "free memory", is_fault=False, kinds=list(ALL))
"""Of which no figure is valid."""


def row(
    runtime: str,
    *failures: Failure,
    agents: int = 100,
    verifier: str = "cold",
    **figures: Figure,
) -> Row:
    runs = 3 if any(isinstance(figure, tuple) for figure in figures.values()) else 1
    found = {
        name: metric(figure, METRICS[name].unit, runs)
        for name, figure in (dict.fromkeys(METRICS) | OF_ALL | figures).items()
    }
    return Row(Cell(runtime, agents, verifier, "chat-7b"), list(failures), found, methods={})


def metric(figure: Figure, unit: str, runs: int) -> Metric:
    if isinstance(figure, tuple):
        median, low, high = figure
        return Metric(median, (low, high), [low, median, high], unit)
    return Metric(figure, None, [figure] * runs, unit)


def experiment(rows: Sequence[Row], controls: Sequence[Comparison] = (), **asked: Any) -> Experiment:
    findings = Summary(list(rows), list(controls))
    runs = [
        Run(Path(f"synthetic/{row.cell.label}-{block}"), row.cell, block)
        for row in rows
        for block, _ in enumerate(row.metrics["wall_s"].values, start=1)
    ]
    asked["runs"] = [
        {"folder": run.folder.name, "block": run.block, **named(run.cell), "control": "", "sha256": {}}
        for run in runs
    ]
    return Experiment(Path("synthetic/summary.json"), summary(findings, **asked), findings, runs)


def summary(findings: Summary, **asked: Any) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "experiment": {
            **ASKED,
            "profile": "chat-7b",
            "cells": [named(row.cell) for row in findings.rows],
            "runtimes": {},
            **asked,
        },
        "environment": ENVIRONMENT,
        **as_json(findings),
    }


def write(path: Path, made: Experiment) -> None:
    path.write_text(json.dumps(made.document, ensure_ascii=False, indent=2) + "\n")
