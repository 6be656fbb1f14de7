"""An experiment: the runtimes are built, and then run as the plan says, each run a process of its own."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from agentdyno.errors import UserError
from agentdyno.files import locked, write_bytes, write_json, write_text
from agentdyno.process.orphans import adopt_orphans, no_survivors
from agentdyno.process.signals import Interrupted, Interrupts
from agentdyno.project import PROMPTS
from agentdyno.reading import sha256_of_file
from agentdyno.results.experiment import recorded_hashes
from agentdyno.results.records import Run
from agentdyno.results.sweep import SWEEP, as_json, sweep_markdown, swept
from agentdyno.rundata.cell import Cell
from agentdyno.rundata.raw_run import REMEDY, RawRun, has_ended, read
from agentdyno.runner.checks import parse_arrivals
from agentdyno.runner.endpoint import SharedFiles
from agentdyno.runner.plan import Plan, cells_of, contenders, most_agents
from agentdyno.runner.prepare import Prepared
from agentdyno.runner.progress import Progress
from agentdyno.runner.results_writer import OnRun, ResultsWriter
from agentdyno.runner.run import run_once
from agentdyno.runner.workspaces import remove_left
from agentdyno.runtimes.build import build
from agentdyno.tasks.load import write

MARKDOWN = "sweep.md"
LOCK = "lock"
"""The file in an experiment's folder that holds the pid of the process at work on it."""


def write_sweep(prepared: Prepared, results: ResultsWriter) -> None:
    """Write `sweep.json` and `sweep.md`: the cost of an agent and the capacity of each contender that was
    measured at all.
    """
    rows = results.summary.rows
    measured = {(row.cell.runtime, row.cell.verifier) for row in rows}
    objective, most = prepared.settings.objective, most_agents(prepared.settings)
    found = [
        swept(cell.runtime, cell.verifier, rows, results.measured, objective, most)
        for cell in contenders(prepared)
        if (cell.runtime, cell.verifier) in measured
    ]
    write_json(prepared.folder / SWEEP, as_json(found))
    write_text(prepared.folder / MARKDOWN, sweep_markdown(found))


def measure(
    prepared: Prepared,
    plan: Plan,
    total: int | None,
    progress: Progress,
    interrupts: Interrupts,
    on_run: OnRun,
) -> tuple[ResultsWriter, Interrupted | UserError | None]:
    """Build the runtimes, run what `plan` says, and return what came of it.

    `on_run` is called with each run. `total` is how many runs that will be, if that is known. What lies in
    the folder already, because an earlier experiment was interrupted, is taken in and not run again. An
    interruption comes back with what was measured until then, and so does what kept a run from counting: an
    endpoint that failed, for example. No other process can work on the folder
    meanwhile: a UserError says which one does.
    """
    with locked(prepared.folder / LOCK):
        adopt_orphans()
        _point_latest_at(prepared.folder)
        _build(prepared, progress, interrupts)
        results = ResultsWriter(prepared, cells_of(prepared), on_run)
        recorded = recorded_hashes(prepared.folder)
        for number, (block, cell) in enumerate(plan(results), start=1):
            folder = prepared.folder / "runs" / f"{number:03}-{cell.label}"
            position = _position(number, total, is_again=results.has(block, cell))
            ended_by, run = None, _there_already(Run(folder, cell, block), position, progress)
            if run is not None:
                _hold_to_record(run, recorded, results.contenders[cell.runtime])
            if run is None:
                ended_by = _run_anew(prepared, cell, block, folder, position, progress, interrupts)
                if not isinstance(ended_by, UserError) and (folder / "outcome.json").exists():
                    run = read(folder, cell, block)
            if run is not None:
                if left := run.outcome.left_by_attempts:
                    progress.say(f"  {left} processes that attempts had left behind were killed")
                results.add(run)
            if ended_by is not None:
                return results, ended_by
        results.write(complete=True)
        return results, None


def _position(number: int, total: int | None, *, is_again: bool) -> str:
    """`total` counts no runs that are made again, because they were disturbed."""
    if is_again:
        return f"{number}, made again"
    return str(number) if total is None or number > total else f"{number}/{total}"


def _there_already(run: Run, position: str, progress: Progress) -> RawRun | None:
    """A whole run of before; None where there is none, or where its files cannot be read any more."""
    if not has_ended(run.folder):
        return None
    try:
        data = run.read()
    except UserError as damage:
        progress.say(f"run {position}: measured again, because {str(damage).partition(';')[0]}")
        return None
    progress.say(f"run {position}: {run.cell.label} is there already")
    return data


def _hold_to_record(run: RawRun, recorded: Mapping[str, Mapping[str, str]], contender: str) -> None:
    """Refuse to take in a run whose files are not those that were measured, or of another contender."""
    where = f"{run.folder.parent.name}/{run.folder.name}"
    for name, sha256 in recorded.get(where, {}).items():
        path = run.folder / name
        if path.exists() and sha256_of_file(path, REMEDY) != sha256:
            raise UserError(
                f"{path}: was changed after it was measured; restore it, or begin anew: what was edited is "
                "no measurement",
                status=1,
            )
    if run.outcome.origin is not None and run.outcome.origin.contender_sha256 != contender:
        raise UserError(
            f"{where}: {run.cell.runtime} was changed since this run; go on with the same files, "
            "or begin anew",
            status=1,
        )


def _build(prepared: Prepared, progress: Progress, interrupts: Interrupts) -> None:
    """Build all runtimes; an interruption is raised, as nothing was measured yet."""
    with no_survivors():
        build(prepared.runtimes, prepared.folder / "build", interrupts.check, progress.say)


def _run_anew(
    prepared: Prepared,
    cell: Cell,
    block: int,
    folder: Path,
    position: str,
    progress: Progress,
    interrupts: Interrupts,
) -> Interrupted | UserError | None:
    """Run the cell, and return what kept it from counting; a run that was cut off before is removed first."""
    (manifest,) = (each for each in prepared.runtimes if each.name == cell.runtime)
    (verifier,) = (each for each in prepared.verifiers if each.name == cell.verifier)
    remove_left(folder, [*manifest.command(manifest.run), str(folder / "run.json")])
    shutil.rmtree(folder, ignore_errors=True)
    try:
        interrupts.check()
        files = shared_files(prepared, cell.agents)
        with progress.run(position, cell, prepared.settings.task_count(cell.agents)) as observe:
            run_once(cell, block, manifest, verifier, prepared.settings, folder, files, observe, interrupts)
    except (Interrupted, UserError) as ended_by:
        return ended_by
    return None


def shared_files(prepared: Prepared, agents: int) -> SharedFiles:
    """The files of runs with so many agents; written once an experiment."""
    settings = prepared.settings
    count = settings.task_count(agents)
    folder = prepared.folder / "tasks"
    folder.mkdir(exist_ok=True)
    files = SharedFiles(
        folder / f"{count}.jsonl", folder / f"{count}-with-references.jsonl", folder / PROMPTS.name
    )
    starts = parse_arrivals(settings.arrivals)(count, settings.seed)
    for path, references in ((files.tasks, False), (files.tasks_with_references, True)):
        if not path.exists():
            write(path, prepared.tasks_of_run(agents), references=references, starts=starts)
    if not files.prompts.exists():
        write_bytes(files.prompts, PROMPTS.read_bytes())
    return files


def _point_latest_at(folder: Path) -> None:
    """Make the symbolic link `latest`, beside `raw/`, lead to this experiment; in one step.

    An experiment that was moved out of `raw/` before it is gone on with has no such link.
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
