"""What `run` and `sweep` do alike: prepare, say what comes, measure, print the findings."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from agentdyno.calibration.capacity import warning
from agentdyno.commands.experiment_options import endpoint_in, options_given, settings_of
from agentdyno.commands.show import message_console, print_experiment
from agentdyno.errors import UserError
from agentdyno.process.output import unheard
from agentdyno.process.signals import Interrupted, Interrupts
from agentdyno.project import RESULTS
from agentdyno.results.experiment import open_experiment
from agentdyno.rundata.raw_run import RawRun
from agentdyno.runner.experiment import measure
from agentdyno.runner.plan import Plan, cells_of, wide
from agentdyno.runner.prepare import Prepared, new_folder, prepare
from agentdyno.runner.progress import Progress
from agentdyno.runner.results_writer import ResultsWriter
from agentdyno.runner.resume import keep, resume
from agentdyno.runner.settings import Settings
from agentdyno.runtimes.build import say_skipped
from agentdyno.trace.perfetto import FILE, write_trace


@unheard()
def conduct(
    arguments: argparse.Namespace,
    environment: Mapping[str, str],
    defaults: Settings,
    plan: Callable[[Prepared], Plan],
    total: Callable[[Prepared], int | None],
    write_more: Callable[[Prepared, ResultsWriter], None],
) -> int:
    """Measure what is asked for as `plan` says, and print the findings.

    `total` says how many runs that will be, where it is known, and `write_more` writes more than a run has.
    Returns 0; 1 when a row that was asked for has a fault, or with --strict any flaw; 130, 143 or 129 after
    an interruption. A measurement goes on when nobody reads its output any more.
    """
    console = message_console(arguments.document)
    progress = Progress(console)
    with Interrupts() as interrupts:
        try:
            prepared = prepared_for(arguments, environment, defaults)
            interrupts.defer()
            say_skipped(prepared.skipped)
            say_what_is_measured(progress, prepared)
            results, ended_by = measure(
                prepared, plan(prepared), total(prepared), progress, interrupts, write_traces(prepared)
            )
        except Interrupted as signal:
            print(f"agentdyno: interrupted by {signal.number.name}; nothing was measured", file=sys.stderr)
            return signal.status
    write_more(prepared, results)
    if results.summary.rows:
        print_experiment(open_experiment(prepared.folder), arguments.document)
    for line in wide(prepared.settings, results.summary):
        console.print(f"wider than --until-ci: {line}", markup=False, highlight=False, soft_wrap=True)
    say_skipped(prepared.skipped)
    folder = _short(prepared.folder)
    if results.summary.rows:
        said = f"results: {folder}; `agentdyno report {folder}` makes a page of them"
        console.print(said, markup=False, highlight=False, soft_wrap=True)
    if ended_by is not None:
        say_how_to_go_on(arguments.command, folder, ended_by)
        return ended_by.status
    return exit_status(prepared, results, strict=arguments.strict)


def prepared_for(
    arguments: argparse.Namespace, environment: Mapping[str, str], defaults: Settings
) -> Prepared:
    """The experiment that the arguments ask for: a new one, or with --resume one that was begun."""
    if arguments.resume is None:
        settings = settings_of(arguments, environment, defaults)
        prepared = prepare(settings, lambda: new_folder(arguments.out or RESULTS))
        keep(prepared, arguments.command)
        return prepared
    if others := options_given(arguments):
        raise UserError(f"--resume goes on with what {arguments.resume} was asked; leave out {others[0]}")
    return resume(arguments.resume, arguments.command, endpoint_in(environment))


def say_what_is_measured(progress: Progress, prepared: Prepared) -> None:
    """Print what is about to be measured, and a warning where that asks the simulated endpoint for more than
    it can serve.
    """
    settings = prepared.settings
    names = ", ".join(manifest.name for manifest in prepared.runtimes)
    served = (
        f"{settings.real_endpoint.base_url}, model {settings.model}"
        if settings.real_endpoint
        else f"the simulated endpoint, profile {settings.profile}"
    )
    counts = ", ".join(map(str, sorted({settings.task_count(agents) for agents in settings.agents})))
    agents, verifiers = ", ".join(map(str, settings.agents)), ", ".join(settings.verifiers)
    repeats = "one repeat" if settings.least_repeats == 1 else f"{settings.least_repeats} repeats"
    progress.say(
        f"{names}: {counts} {settings.tasks} tasks, agents {agents}, {repeats}, "
        f"verifier {verifiers} with {settings.verify_slots} slots, on {served}"
    )
    if prepared.probed is not None:
        progress.say(f"the endpoint answers: {prepared.probed.line}")
    if prepared.profile is not None:
        warned = warning(prepared.profile, max(settings.agents))
        if warned is not None:
            progress.say(f"warning: {warned}")


def write_traces(prepared: Prepared) -> Callable[[RawRun], None]:
    """What writes the trace of each run where `--trace` asks for traces."""

    def write(run: RawRun) -> None:
        if prepared.settings.trace:
            write_trace(run, run.folder / FILE)

    return write


def say_how_to_go_on(command: str, folder: str, ended_by: Interrupted | UserError) -> None:
    """Print what ended an experiment early, where it lies, and the command that goes on with it."""
    why = f"interrupted by {ended_by.number.name}" if isinstance(ended_by, Interrupted) else str(ended_by)
    print(
        f"agentdyno: {why}; what was measured until then is in "
        f"{folder}; `agentdyno {command} --resume {folder}` goes on with it",
        file=sys.stderr,
    )


def exit_status(prepared: Prepared, results: ResultsWriter, *, strict: bool) -> int:
    """1 when a row that was asked for has a fault, or where `strict` any flaw; else 0."""
    asked_for = cells_of(prepared)
    rows = [row for row in results.summary.rows if row.cell in asked_for]
    return 1 if any(not (row.valid if strict else row.is_sound) for row in rows) else 0


def _short(path: Path) -> str:
    """The path as seen from here, where that is shorter."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
