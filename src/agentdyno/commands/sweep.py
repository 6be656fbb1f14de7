"""`agentdyno sweep`: what one more agent costs, and how many there can be."""

import argparse
import os
from dataclasses import replace

from agentdyno.commands.experiment import conduct
from agentdyno.commands.experiment_options import DEFAULTS, add_experiment_options, option_of
from agentdyno.options import SECONDS, above_0
from agentdyno.runner.experiment import write_sweep
from agentdyno.runner.plan import searching

SWEEP_DEFAULTS = replace(
    DEFAULTS,
    agents=(1, 10, 100, 1000, 10000),
    # As many tasks as agents, one attempt each: a run is over when the longest reply is.
    limit=1,
    max_retries=0,
    profile="crowd",
    verifiers=("null",),
    controls=(),
    overhead_limit_s=0.05,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `sweep`: those of `run`, with defaults for many agents, and the objective."""
    add_experiment_options(parser, SWEEP_DEFAULTS)
    option = option_of("overhead_limit_s")
    parser.add_argument(
        option,
        dest="overhead_limit_s",
        type=above_0(option, SECONDS),
        default=argparse.SUPPRESS,
        metavar="S",
        help="the objective: p99 of the overhead, with all agents in flight and no errors "
        f"(default: {SWEEP_DEFAULTS.overhead_limit_s:g} s)",
    )
    parser.description = (
        "Measure runtimes at several numbers of agents, with as many tasks as agents, then search for the "
        "largest number that keeps the objective, and say what gives out there."
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure and search, and return the exit status of `conduct`.

    What the search finds wrong with more agents than were asked for is its result and no failure.
    """
    return conduct(arguments, os.environ, SWEEP_DEFAULTS, searching, lambda prepared: None, write_sweep)
