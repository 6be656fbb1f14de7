"""`agentdyno run`: measure runtimes and print the table."""

import argparse
import os
from dataclasses import replace

from agentdyno.commands.experiment import conduct
from agentdyno.commands.experiment_options import DEFAULTS, add_experiment_options, agents_in
from agentdyno.runner.plan import planned, repeated


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `run`."""
    add_experiment_options(parser, DEFAULTS)


def run(arguments: argparse.Namespace) -> int:
    """Measure every row as often as asked for, and return the exit status of `conduct`."""
    defaults = replace(DEFAULTS, agents=agents_in(os.environ) or DEFAULTS.agents)
    return conduct(arguments, os.environ, defaults, repeated, planned, lambda prepared, results: None)
