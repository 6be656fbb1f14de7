"""`agentdyno sweep`: what one more agent costs, and how many there can be."""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace

from rich.console import Console

from agentdyno import open_files
from agentdyno.analysis.ceiling import Ceiling, Objective, ceiling, next_to_try
from agentdyno.experiment import command
from agentdyno.experiment.cell import Cell
from agentdyno.experiment.experiment import Plan, cells_of, measure, repeated
from agentdyno.experiment.interrupt import Interrupted, Interrupts
from agentdyno.experiment.progress import Progress
from agentdyno.experiment.results import Results
from agentdyno.experiment.settings import Settings
from agentdyno.files import write_json, write_text
from agentdyno.report.sweep import print_sweep, sweep_markdown, swept
from agentdyno.runtimes.packages import say_skipped

AGENTS = "1,10,100,1000,10000"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `sweep`: those of `run`, with defaults for many agents."""
    command.add_arguments(parser)
    # As many tasks as agents, one attempt each: a run is over when the longest reply is.
    parser.set_defaults(
        agents=AGENTS, profile="crowd", verifier="null", limit=1, max_retries=0, controls="none"
    )
    parser.add_argument(
        "--overhead-limit",
        type=command.seconds("--overhead-limit"),
        default=0.05,
        metavar="S",
        help="the objective: p99 of the overhead, with all agents in flight and no errors (default: 0.05 s)",
    )
    parser.description = (
        "Measure runtimes at several numbers of agents (default: "
        f"{AGENTS}; profile crowd, verifier null, as many tasks as agents), then search for the largest "
        "number that keeps the objective, and say what gives out there."
    )


def run(arguments: argparse.Namespace) -> int:
    """Sweep, print what came of it, and return as `agentdyno run` does."""
    console = Console(markup=False)
    objective = Objective(arguments.overhead_limit * 1000)
    with Interrupts() as interrupts:
        try:
            settings = command.settings_of(arguments, add_arguments)
            interrupts.defer()
            progress = Progress(console)
            left_out = command.skipped(arguments, settings)
            say_skipped(left_out)
            progress.say(command.announcement(settings))
            results, interrupted = measure(
                settings, searching(settings, objective), None, progress, interrupts
            )
        except Interrupted as signal:
            print(f"agentdyno: interrupted by {signal.number.name}; nothing was measured", file=sys.stderr)
            return signal.status
    found = [
        swept(manifest.name, results.findings.rows, results.measured, objective)
        for manifest in settings.runtimes
    ]
    write_json(settings.folder / "sweep.json", [asdict(each) for each in found])
    write_text(settings.folder / "sweep.md", sweep_markdown(found))
    print_sweep(console, found)
    say_skipped(left_out)
    return command.concluded(console, settings, interrupted, results.findings.rows, strict=arguments.strict)


def searching(settings: Settings, objective: Objective) -> Plan:
    """All numbers of agents that were asked for, then of each runtime those that find its ceiling."""

    def plan(results: Results) -> Iterator[tuple[int, Cell]]:
        yield from repeated(settings)(results)
        for manifest in settings.runtimes:
            first = next(cell for cell in cells_of(settings) if cell.runtime == manifest.name)
            while (agents := _next(settings, results, first, objective)) is not None:
                open_files.allow(
                    open_files.needed(
                        agents, settings.verify_slots, relayed=settings.real_endpoint is not None
                    ),
                    f"{agents} agents",
                )
                yield 1, replace(first, agents=agents)

    return plan


def _next(settings: Settings, results: Results, cell: Cell, objective: Objective) -> int | None:
    """The number of agents to try next, which is never one that was tried or for which there are no files."""
    found = _ceiling(results, cell, objective)
    agents = next_to_try(found)
    most = open_files.most_agents(settings.verify_slots, relayed=settings.real_endpoint is not None)
    if agents is not None and most is not None:
        agents = min(agents, most)
    return agents if agents not in (found.kept, found.broken) else None


def _ceiling(results: Results, cell: Cell, objective: Objective) -> Ceiling:
    its = [run for run in results.measured if replace(run.cell, agents=cell.agents) == cell]
    return ceiling(its, objective)
