"""`agentdyno sweep`: what one more agent costs, and how many there can be."""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace

from agentdyno.analysis.capacity import Objective, capacity, next_to_try
from agentdyno.commands import run as command
from agentdyno.commands.show import beside, print_experiment
from agentdyno.errors import UserError
from agentdyno.files import write_json, write_text
from agentdyno.options import SECONDS, above_0
from agentdyno.process import limits
from agentdyno.process.signals import Interrupted, Interrupts
from agentdyno.results.experiment import open_experiment
from agentdyno.results.sweep import SWEEP, as_json, sweep_markdown, swept
from agentdyno.rundata.cell import Cell
from agentdyno.runner.experiment import Plan, cells_of, measure, repeated
from agentdyno.runner.plan import AT_ONCE
from agentdyno.runner.progress import Progress
from agentdyno.runner.results import Results
from agentdyno.runner.resume import recall
from agentdyno.runner.settings import Settings
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
        type=above_0("--overhead-limit", SECONDS),
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
    """Sweep, print what came of it, and return 0; 1 when a row that was asked for has a fault, or with
    --strict any flaw; 130 or 143 after an interruption.

    What the search finds wrong with more agents than were asked for is its result and no failure.
    """
    console = beside(arguments.document)
    _all_at_once(arguments)
    with Interrupts() as interrupts:
        try:
            settings = command.settings_of(arguments, add_arguments)
            objective = _objective(arguments)
            interrupts.defer()
            progress = Progress(console)
            left_out = command.skipped(arguments, settings)
            say_skipped(left_out)
            command.announce(progress, settings)
            results, interrupted = measure(
                settings,
                searching(settings, objective),
                None,
                progress,
                interrupts,
                command.tracing(settings),
            )
        except Interrupted as signal:
            print(f"agentdyno: interrupted by {signal.number.name}; nothing was measured", file=sys.stderr)
            return signal.status
    rows = results.summary.rows
    measured = {(row.cell.runtime, row.cell.verifier) for row in rows}
    found = [
        swept(cell.runtime, cell.verifier, rows, results.measured, objective, _most_agents(settings))
        for cell in _contenders(settings)
        if (cell.runtime, cell.verifier) in measured
    ]
    write_json(settings.folder / SWEEP, as_json(found))
    write_text(settings.folder / "sweep.md", sweep_markdown(found))
    if rows:
        print_experiment(open_experiment(settings.folder), arguments.document)
    say_skipped(left_out)
    asked_for = [row for row in rows if row.cell in cells_of(settings)]
    return command.concluded(console, arguments, settings, interrupted, asked_for)


def searching(settings: Settings, objective: Objective) -> Plan:
    """All numbers of agents that were asked for, then of each contender those that find its capacity."""

    def plan(results: Results) -> Iterator[tuple[int, Cell]]:
        yield from repeated(settings)(results)
        for contender in _contenders(settings):
            while (agents := _next(settings, results, contender, objective)) is not None:
                limits.allow_open_files(_files(settings, agents), f"{agents} agents")
                for block in range(1, settings.repeats + 1):
                    yield block, replace(contender, agents=agents)

    return plan


def _contenders(settings: Settings) -> list[Cell]:
    """A cell of each runtime with each verifier."""
    return [cell for cell in cells_of(settings) if cell.agents == settings.agents[0]]


def _next(settings: Settings, results: Results, contender: Cell, objective: Objective) -> int | None:
    """The number of agents to try next, which is never one that was tried or for which there are no files."""
    its = [run for run in results.measured if replace(run.cell, agents=contender.agents) == contender]
    found, most = capacity(its, objective), _most_agents(settings)
    agents = next_to_try(found)
    if agents is not None and most is not None:
        agents = min(agents, most)
    return agents if agents != found.kept else None


def _most_agents(settings: Settings) -> int | None:
    return limits.most_agents(settings.verify_slots, relayed=settings.real_endpoint is not None)


def _files(settings: Settings, agents: int) -> int:
    return limits.open_files_needed(agents, settings.verify_slots, relayed=settings.real_endpoint is not None)


def _objective(arguments: argparse.Namespace) -> Objective:
    """What was asked for, now or when what is gone on with began."""
    asked = vars(arguments) if arguments.resume is None else recall(arguments.resume, arguments.command)
    return Objective(asked["overhead_limit"] * 1000)


def _all_at_once(arguments: argparse.Namespace) -> None:
    """Refuse what keeps the agents from being in flight at once, without which there is no capacity."""
    if arguments.profile == "instant":
        raise UserError(
            "--profile instant: replies are over before all agents are in flight, so that no capacity can be "
            "found; choose crowd, steady or chat-7b"
        )
    if arguments.arrivals != AT_ONCE:
        raise UserError("--arrivals: a sweep begins all agents at once; leave it out")
