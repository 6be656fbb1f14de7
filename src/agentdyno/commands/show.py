"""`agentdyno show`: the findings of an experiment, as `run` and `sweep` print them when they are done."""

import argparse
import sys

from rich.console import Console

from agentdyno.options import add_folder
from agentdyno.reading import read_text
from agentdyno.report.tables import console
from agentdyno.report.terminal import print_findings, print_sweep
from agentdyno.results.documents import spreadsheet, table
from agentdyno.results.experiment import Experiment, open_experiment
from agentdyno.results.sweep import SWEEP, read_swept, sweep_markdown

DOCUMENTS = {
    "json": f"print summary.json rather than tables, or of a sweep {SWEEP}, for programs",
    "markdown": "print a Markdown table, for a README or an issue",
    "csv": "print a line for each row, with median and interval of every metric, for a spreadsheet",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `show`."""
    add_folder(parser)
    add_documents(parser)


def add_documents(parser: argparse.ArgumentParser) -> None:
    """Declare the options that make stdout a document; it holds nothing else then."""
    choice = parser.add_mutually_exclusive_group()
    for name, meaning in DOCUMENTS.items():
        choice.add_argument(f"--{name}", dest="document", action="store_const", const=name, help=meaning)


def run(arguments: argparse.Namespace) -> int:
    """Print the findings, and return 0."""
    print_experiment(open_experiment(arguments.folder), arguments.document)
    return 0


def message_console(document: str | None) -> Console:
    """A console for messages, which are no findings: stderr where stdout is a document, else stdout."""
    return console(stderr=document is not None)


def print_experiment(experiment: Experiment, document: str | None) -> None:
    """Print the findings to stdout: one of DOCUMENTS, or tables where that is None."""
    rows, swept = experiment.summary.rows, read_swept(experiment.path)
    match document:
        case "csv":
            sys.stdout.write(spreadsheet(rows))
        case "markdown":
            sys.stdout.write(sweep_markdown(swept) if swept else table(rows))
        case "json":
            path = experiment.folder / SWEEP if swept else experiment.path
            sys.stdout.write(read_text(path, "name the folder of an experiment"))
        case _ if swept:
            print_sweep(console(), swept, rows)
        case _:
            print_findings(console(), experiment)
