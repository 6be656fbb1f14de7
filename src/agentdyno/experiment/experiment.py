"""An experiment: all blocks of all cells, with everything written as soon as it is known."""

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agentdyno.analysis import run_data
from agentdyno.analysis.run_data import RunData
from agentdyno.experiment.cell import Cell, blocks
from agentdyno.experiment.interrupt import Interrupted
from agentdyno.experiment.progress import Progress
from agentdyno.experiment.run import TIMEOUTS, TRANSPORT, run_once
from agentdyno.experiment.settings import Settings
from agentdyno.measure.environment import environment
from agentdyno.report.summary import Row, rows, write_summary, write_tasks
from agentdyno.runtimes.build import build
from agentdyno.runtimes.child import adopt_orphans
from agentdyno.tasks.load import repeat, write


def measure(settings: Settings, progress: Progress) -> tuple[list[Row], Interrupted | None]:
    """Build the runtimes, run every cell in every block, and return the rows; an interruption comes back
    with the partial rows.
    """
    adopt_orphans()
    settings.folder.mkdir(parents=True)
    _point_latest_at(settings.folder)
    for manifest in settings.runtimes:
        progress.say(f"building {manifest.name}")
        build(manifest, settings.folder / "build" / f"{manifest.name}.log")

    machine = environment(settings.verifier)
    manifests = {manifest.name: manifest for manifest in settings.runtimes}
    cells = [
        Cell(manifest.name, agents, settings.verifier.name, settings.served_by)
        for manifest in settings.runtimes
        for agents in settings.agents
    ]
    plan = list(blocks(cells, settings.repeats, settings.seed))
    started = _now()
    runs: list[RunData] = []
    interrupted: Interrupted | None = None
    found: list[Row] = []
    for number, (block, cell) in enumerate(plan, start=1):
        folder = settings.folder / "runs" / f"{number:03}-{cell.label}"
        with progress.run(
            f"{number}/{len(plan)}", cell, tasks=max(len(settings.tasks), cell.agents)
        ) as observe:
            try:
                run_once(
                    cell,
                    manifests[cell.runtime],
                    settings,
                    folder,
                    _task_files(settings, cell.agents),
                    observe,
                )
            except Interrupted as signal:
                interrupted = signal
        if (folder / "run.json").exists():
            runs.append(run_data.read(folder, cell, block))
        found = rows(runs, simulated=settings.real_endpoint is None)
        is_complete = number == len(plan) and interrupted is None
        described = _describe(
            settings, plan, started, runs, is_complete=is_complete, interrupted=interrupted is not None
        )
        write_summary(settings.folder / "summary.json", described, machine, found)
        write_tasks(settings.folder / "tasks.csv", runs)
        if interrupted is not None:
            break
    return found, interrupted


def _task_files(settings: Settings, agents: int) -> tuple[Path, Path]:
    """The tasks of a run with this many agents, without and with references; written once an experiment."""
    tasks = repeat(list(settings.tasks), max(len(settings.tasks), agents))
    folder = settings.folder / "tasks"
    folder.mkdir(exist_ok=True)
    files = folder / f"{len(tasks)}.jsonl", folder / f"{len(tasks)}-with-references.jsonl"
    for path, references in zip(files, (False, True), strict=True):
        if not path.exists():
            write(path, tasks, references=references)
    return files


def _point_latest_at(folder: Path) -> None:
    """Make the symbolic link `latest`, beside `raw/`, lead to this experiment; in one step, as a reader
    may follow it now.
    """
    link = folder.parent.parent / "latest"
    unfinished = link.with_name(f".latest.{os.getpid()}")
    unfinished.symlink_to(folder.relative_to(link.parent))
    unfinished.replace(link)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _describe(
    settings: Settings,
    plan: Sequence[tuple[int, Cell]],
    started: str,
    runs: Sequence[RunData],
    *,
    is_complete: bool,
    interrupted: bool,
) -> dict[str, Any]:
    """What was asked and how far it came."""
    return {
        "command": ["agentdyno", *sys.argv[1:]],
        "started": started,
        "written": _now(),
        "complete": is_complete,
        "interrupted": interrupted,
        "runs_planned": len(plan),
        "runs_done": sum(not run.ending.interrupted for run in runs),
        "order": [{"block": block, "runtime": cell.runtime, "agents": cell.agents} for block, cell in plan],
        "runs": [
            {
                "folder": f"runs/{run.folder.name}",
                "block": run.block,
                "runtime": run.cell.runtime,
                "agents": run.cell.agents,
            }
            for run in runs
        ],
        "runtimes": {
            manifest.name: {
                "language": manifest.language,
                "description": manifest.description,
                "run": list(manifest.run),
            }
            for manifest in settings.runtimes
        },
        "tasks": settings.tasks_source,
        "limit": len(settings.tasks),
        "repeats": settings.repeats,
        "seed": settings.seed,
        "profile": settings.served_by,
        "endpoint": settings.real_endpoint.base_url if settings.real_endpoint else "simulated",
        "model": settings.model,
        "request": settings.request,
        "verifier": settings.verifier.name,
        "verify_slots": settings.verify_slots,
        "verify_timeout_s": settings.verify_timeout_s,
        "max_retries": settings.max_retries,
        "timeouts": TIMEOUTS,
        "transport": TRANSPORT,
    }
