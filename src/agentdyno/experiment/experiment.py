"""An experiment: all blocks of all cells."""

import os
from pathlib import Path

from agentdyno.child import adopt_orphans, no_survivors
from agentdyno.errors import Refusal
from agentdyno.experiment.cell import Cell, blocks
from agentdyno.experiment.interrupt import Interrupted, Interrupts
from agentdyno.experiment.progress import Progress
from agentdyno.experiment.results import Results
from agentdyno.experiment.run import run_once
from agentdyno.experiment.settings import Settings
from agentdyno.report.summary import Row
from agentdyno.runtimes.build import build
from agentdyno.tasks.load import write
from agentdyno.tasks.task import Task


def measure(
    settings: Settings, progress: Progress, interrupts: Interrupts
) -> tuple[list[Row], Interrupted | None]:
    """Build the runtimes, run every cell in every block, and return the rows.

    An interruption comes back with the rows of what was measured until then, and is raised if there is none.
    """
    adopt_orphans()
    _point_latest_at(settings.folder)
    with no_survivors():
        for manifest in settings.runtimes:
            if manifest.build is not None:
                progress.say(f"building {manifest.name}")
            build(manifest, settings.folder / "build" / f"{manifest.name}.log", interrupts.check)

    manifests = {manifest.name: manifest for manifest in settings.runtimes}
    verifiers = {verifier.name: verifier for verifier in settings.verifiers}
    cells = [
        Cell(runtime, agents, verifier, settings.served_by)
        for verifier in verifiers
        for agents in settings.agents
        for runtime in manifests
    ]
    plan = list(blocks(cells, settings.repeats, settings.seed))
    results = Results(settings, cells, plan)
    interrupted: Interrupted | None = None
    for number, (block, cell) in enumerate(plan, start=1):
        folder = settings.folder / "runs" / f"{number:03}-{cell.label}"
        try:
            interrupts.check()
            tasks = settings.tasks_of_run(cell.agents)
            files = _task_files(settings.folder / "tasks", tasks)
            with progress.run(f"{number}/{len(plan)}", cell, len(tasks)) as observe:
                run_once(
                    cell,
                    manifests[cell.runtime],
                    verifiers[cell.verifier],
                    settings,
                    folder,
                    files,
                    observe,
                    interrupts,
                )
            results.add(folder, cell, block)
        except Interrupted as signal:
            interrupted = signal
            results.add(folder, cell, block, interrupted=True)
            break
    return results.rows, interrupted


def _task_files(folder: Path, tasks: list[Task]) -> tuple[Path, Path]:
    """The files of these tasks, without and with references; written once an experiment."""
    folder.mkdir(exist_ok=True)
    files = folder / f"{len(tasks)}.jsonl", folder / f"{len(tasks)}-with-references.jsonl"
    for path, references in zip(files, (False, True), strict=True):
        if not path.exists():
            write(path, tasks, references=references)
    return files


def _point_latest_at(folder: Path) -> None:
    """Make the symbolic link `latest`, beside `raw/`, lead to this experiment; in one step."""
    link = folder.parent.parent / "latest"
    unfinished = link.with_name(f".latest.{os.getpid()}")
    unfinished.symlink_to(folder.relative_to(link.parent))
    try:
        unfinished.replace(link)
    except IsADirectoryError:
        unfinished.unlink()
        raise Refusal(
            f"{link}: a folder is where the link to the newest results goes; move it away"
        ) from None
