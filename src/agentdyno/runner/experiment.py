"""An experiment: all blocks of all cells."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from agentdyno.errors import UserError
from agentdyno.process.child import adopt_orphans, no_survivors
from agentdyno.process.signals import Interrupted, Interrupts
from agentdyno.results.summary import Summary
from agentdyno.rundata.cell import DRIFT_CHECK, Cell, blocks, with_controls
from agentdyno.rundata.raw_run import has_ended
from agentdyno.runner.plan import parse_arrivals
from agentdyno.runner.progress import Progress
from agentdyno.runner.results import OnRun, Results
from agentdyno.runner.run import run_once
from agentdyno.runner.settings import Settings
from agentdyno.runtimes.build import build
from agentdyno.tasks.load import write

Plan = Callable[[Results], Iterator[tuple[int, Cell]]]
"""Says what to run next, by what came of the runs so far: block after block, cell after cell."""

TIGHT = ("peak_rss_mib", "overhead_ms_p50")
"""The metrics whose intervals `--until-ci` waits for."""


def cells_of(settings: Settings) -> list[Cell]:
    """Every combination of what is varied."""
    return [
        Cell(manifest.name, agents, verifier.name, settings.served_by)
        for verifier in settings.verifiers
        for agents in settings.agents
        for manifest in settings.runtimes
    ]


def repeated(settings: Settings) -> Plan:
    """Block after block, as many as asked for or as it takes, and the sentinel at last."""

    def plan(results: Results) -> Iterator[tuple[int, Cell]]:
        cells = with_controls(cells_of(settings), settings.controls)
        first: Cell | None = None
        for block, order in enumerate(blocks(cells, settings.seed), start=1):
            for cell in order:
                first = first or cell
                yield block, cell
            if block >= settings.repeats and not _go_on(settings, block, results.summary):
                break
        if DRIFT_CHECK in settings.controls and first is not None:
            yield block, replace(first, control=DRIFT_CHECK)

    return plan


def _go_on(settings: Settings, block: int, found: Summary) -> bool:
    return settings.until_ci is not None and block < settings.max_repeats and bool(wide(settings, found))


def wide(settings: Settings, found: Summary) -> list[str]:
    """The figures whose intervals are not as tight as `--until-ci` asks, a line each."""
    limit = settings.until_ci
    return [
        f"{row.cell.runtime}, {row.cell.agents} agents, verifier {row.cell.verifier}: {name} ±{half:.1%}"
        for row in found.rows
        for name in TIGHT
        if limit is not None and (half := row.metrics[name].half_width) is not None and half > limit
    ]


def planned(settings: Settings) -> int | None:
    """How many runs that will be, where that is known beforehand."""
    if settings.until_ci is not None:
        return None
    blocks_of = with_controls(cells_of(settings), settings.controls)
    return len(blocks_of) * settings.repeats + (DRIFT_CHECK in settings.controls)


def measure(
    settings: Settings,
    plan: Plan,
    total: int | None,
    progress: Progress,
    interrupts: Interrupts,
    on_run: OnRun,
) -> tuple[Results, Interrupted | None]:
    """Build the runtimes, run what `plan` says, and return what came of it.

    `on_run` is called with each run. `total` is how many runs that will be, if that is known. What lies in
    the folder already, because an
    earlier experiment was interrupted, is taken in and not run again. An interruption comes back with what
    was measured until then.
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
    results = Results(settings, cells_of(settings), on_run)
    for number, (block, cell) in enumerate(plan(results), start=1):
        folder = settings.folder / "runs" / f"{number:03}-{cell.label}"
        position = str(number) if total is None else f"{number}/{total}"
        if has_ended(folder):
            progress.say(f"run {position}: {cell.label} is there already")
            results.add(folder, cell, block)
            continue
        # What was interrupted, or killed, is run anew.
        shutil.rmtree(folder, ignore_errors=True)
        try:
            interrupts.check()
            files = task_files(settings, cell.agents)
            with progress.run(position, cell, settings.task_count(cell.agents)) as observe:
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
            if (folder / "outcome.json").exists():
                results.add(folder, cell, block)
            return results, signal
    results.write(complete=True)
    return results, None


def task_files(settings: Settings, agents: int) -> tuple[Path, Path]:
    """The tasks of a run with so many agents, without and with references; written once an experiment."""
    count = settings.task_count(agents)
    folder = settings.folder / "tasks"
    folder.mkdir(exist_ok=True)
    files = folder / f"{count}.jsonl", folder / f"{count}-with-references.jsonl"
    starts = parse_arrivals(settings.arrivals)(count, settings.seed)
    for path, references in zip(files, (False, True), strict=True):
        if not path.exists():
            write(path, settings.tasks_of_run(agents), references=references, starts=starts)
    return files


def _point_latest_at(folder: Path) -> None:
    """Make the symbolic link `latest`, beside `raw/`, lead to this experiment; in one step.

    One that was moved out of `raw/` and is gone on with there has no such place.
    """
    if folder.parent.name != "raw":
        return
    link = folder.parent.parent / "latest"
    unfinished = link.with_name(f".latest.{os.getpid()}")
    unfinished.symlink_to(folder.relative_to(link.parent))
    try:
        unfinished.replace(link)
    except IsADirectoryError:
        unfinished.unlink()
        raise UserError(
            f"{link}: a folder is where the link to the newest results goes; move it away"
        ) from None
