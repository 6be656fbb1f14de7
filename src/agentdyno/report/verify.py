"""`agentdyno verify`: does what is reported follow from what was measured?"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agentdyno.analysis.ceiling import Objective
from agentdyno.analysis.measured import MeasuredRun
from agentdyno.report.experiment import Experiment, add_folder, open_experiment
from agentdyno.report.markdown import table
from agentdyno.report.runs import LEDGER, Runs
from agentdyno.report.summary import Row, as_json, tasks_csv
from agentdyno.report.sweep import sweep_markdown, swept
from agentdyno.report.sweep_file import SWEEP

SHOWN = 10
"""So many differences are printed; the others are counted."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `verify`."""
    add_folder(parser)


def run(arguments: argparse.Namespace) -> int:
    """Recompute everything; returns 0 when nothing differs, else 1."""
    experiment = open_experiment(arguments.folder)
    runs = experiment.nothing()
    found = list(differences(experiment, runs))
    for line in found[:SHOWN]:
        print(f"DIFFERS {line}")
    if len(found) > SHOWN:
        print(f"and {len(found) - SHOWN} more")
    if found:
        return 1
    figures = sum(len(metric.values) for row in experiment.findings.rows for metric in row.metrics.values())
    tasks = sum(len(measured.tasks) for measured in runs.measured)
    print(
        f"verified: {len(runs.measured)} runs, {tasks:,} tasks, {figures:,} figures; summary.json, "
        "tasks.csv, table.md and every ledger.csv follow from the raw files, and these are as they were"
    )
    return 0


def differences(experiment: Experiment, runs: Runs) -> Iterator[str]:
    """What is not as it was, or does not follow from the raw files; `runs` takes in the runs."""
    for run, said in zip(experiment.runs, experiment.summary["experiment"]["runs"], strict=True):
        ledger = runs.add(run.read())
        yield from _unlike(f"{said['folder']}: sha256", said["sha256"], runs.described[-1]["sha256"])
        yield from _unlike_text(run.folder / LEDGER, ledger)
    findings = runs.findings()
    for name, recomputed in json.loads(json.dumps(as_json(findings))).items():
        yield from _unlike(name, experiment.summary.get(name), recomputed)
    if (experiment.folder / SWEEP).exists():
        yield from _unlike_sweep(experiment.folder, findings.rows, runs.measured)
    yield from _unlike_text(experiment.folder / "tasks.csv", tasks_csv(runs.measured))
    yield from _unlike_text(experiment.folder / "table.md", table(findings.rows))


def _unlike_sweep(folder: Path, rows: Sequence[Row], measured: Sequence[MeasuredRun]) -> Iterator[str]:
    """What of a sweep is not as it was; its objective and the limit on open files are taken as given."""
    try:
        said = json.loads((folder / SWEEP).read_text(encoding="utf-8"))
        found = [
            swept(
                each["runtime"],
                each["verifier"],
                rows,
                measured,
                Objective(each["objective_ms"]),
                each["most_agents"],
            )
            for each in said
        ]
    except (ValueError, KeyError, TypeError) as error:
        yield f"sweep.json: it cannot be read any more ({error})"
        return
    contenders = dict.fromkeys((row.cell.runtime, row.cell.verifier) for row in rows)
    for runtime, verifier in contenders.keys() - {(each.runtime, each.verifier) for each in found}:
        yield f"sweep.json: {runtime}, verifier {verifier}, is measured and not in it"
    for each, its in zip(said, json.loads(json.dumps([asdict(each) for each in found])), strict=True):
        yield from _unlike(f"sweep.json: {its['runtime']}, verifier {its['verifier']}", each, its)
    yield from _unlike_text(folder / "sweep.md", sweep_markdown(found))


def _unlike(where: str, said: Any, recomputed: Any) -> Iterator[str]:
    """Every place at which two JSON values differ."""
    if isinstance(said, dict) and isinstance(recomputed, dict):
        for name in {**said, **recomputed}:
            yield from _unlike(f"{where}.{name}", said.get(name), recomputed.get(name))
    elif isinstance(said, list) and isinstance(recomputed, list) and len(said) == len(recomputed):
        for number, (one, other) in enumerate(zip(said, recomputed, strict=True)):
            yield from _unlike(f"{where}[{number}]", one, other)
    elif said != recomputed:
        yield f"{where}: {_short(said)} is reported, {_short(recomputed)} follows from the raw files"


def _unlike_text(path: Path, recomputed: str) -> Iterator[str]:
    said = path.read_text(encoding="utf-8") if path.exists() else ""
    if said != recomputed:
        lines = zip(said.splitlines(), recomputed.splitlines(), strict=False)
        where = next(
            (f"line {number}" for number, (one, other) in enumerate(lines, 1) if one != other), "its end"
        )
        yield f"{path.name} in {path.parent.name} at {where}"


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "…"
