"""`agentdyno verify`: does what is reported follow from what was measured?"""

import argparse

from agentdyno.options import add_folder
from agentdyno.results.experiment import open_experiment
from agentdyno.results.verify import differences, is_of_this_version

SHOWN = 10
"""So many differences are printed; the others are counted."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `verify`."""
    add_folder(parser)


def run(arguments: argparse.Namespace) -> int:
    """Recompute everything; returns 0 when nothing differs, else 1."""
    experiment = open_experiment(arguments.folder)
    runs = experiment.unanalysed()
    found = list(differences(experiment, runs))
    for line in found[:SHOWN]:
        print(f"DIFFERS {line}")
    if len(found) > SHOWN:
        print(f"and {len(found) - SHOWN} more")
    if found:
        return 1
    figures = sum(len(metric.values) for row in experiment.summary.rows for metric in row.metrics.values())
    tasks = sum(len(measured.tasks) for measured in runs.measured)
    tables = "table.md " if is_of_this_version(experiment) else ""
    print(
        f"verified: {len(runs.measured)} runs, {tasks:,} tasks, {figures:,} figures; summary.json, "
        f"tasks.csv, {tables}and every ledger.csv follow from the raw files, and these are as they were"
    )
    if not tables:
        version = experiment.document["environment"]["agentdyno"]
        print(f"not compared: table.md and sweep.md, which agentdyno {version} wrote in another form")
    return 0
