"""The command line: a table of contents of what agentdyno does."""

import argparse
import importlib
import os
import sys
import tempfile
from collections.abc import Sequence

from agentdyno import __version__
from agentdyno.errors import UserError
from agentdyno.files import remedy
from agentdyno.process.output import tolerate_encodings

# Each module has add_arguments(parser) and run(arguments) -> exit status, and is imported only when asked
# for.
COMMANDS = {
    "run": ("agentdyno.commands.run", "measure runtimes and print the table"),
    "sweep": ("agentdyno.commands.sweep", "measure what one more agent costs, and how many there can be"),
    "show": ("agentdyno.commands.show", "print an experiment's tables again, or as JSON, Markdown or CSV"),
    "report": (
        "agentdyno.commands.report",
        "write an experiment as one HTML page, and its figures as files",
    ),
    "ledger": ("agentdyno.commands.ledger", "say where the time of an experiment's attempts went"),
    "verify": ("agentdyno.commands.verify", "recompute every figure of an experiment from its raw files"),
    "compare": (
        "agentdyno.commands.compare",
        "say what changed between two experiments, and fail where that is too much",
    ),
    "cost": (
        "agentdyno.commands.cost",
        "say how many machines, and how much money, the tasks of an experiment would take",
    ),
    "export": ("agentdyno.commands.export", "hand an experiment's runs to Perfetto or OpenTelemetry"),
    "check": (
        "agentdyno.commands.check",
        "say whether this machine is ready, and what to do where it is not",
    ),
    "conform": ("agentdyno.commands.conform", "hold runtimes to the contract, rule by rule"),
    "serve": (
        "agentdyno.commands.serve",
        "serve the simulated endpoint, or relay a real one, with a journal",
    ),
    "calibrate": (
        "agentdyno.commands.calibrate",
        "measure what the endpoint itself can serve on this machine",
    ),
    "dataset": ("agentdyno.commands.dataset", "make a task file from a public data set"),
}


def _drop_stdout() -> None:
    """Have what stdout could not take be forgotten, or Python would complain again at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, 1 (a measurement failed) or 2 (the request is
    unusable).
    """
    tolerate_encodings()
    argv = sys.argv[1:] if argv is None else list(argv)
    parser = argparse.ArgumentParser(
        prog="agentdyno",
        description="Benchmark agent runtimes: same tasks, same model, same machine, same loop.",
    )
    parser.add_argument("--version", action="version", version=f"agentdyno {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    chosen = next((word for word in argv if not word.startswith("-")), None)
    try:
        for name, (module, summary) in COMMANDS.items():
            command = commands.add_parser(
                name, help=summary, description=summary[0].upper() + summary[1:] + "."
            )
            if name == chosen:
                importlib.import_module(module).add_arguments(command)
        arguments = parser.parse_args(argv)
        status: int = importlib.import_module(COMMANDS[arguments.command][0]).run(arguments)
        sys.stdout.flush()  # so that a full disk is found here and not when Python ends
    except UserError as refusal:
        print(f"agentdyno: {refusal}", file=sys.stderr)
        return refusal.status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output (head, less) has gone; there is nobody left to tell.
        sys.stderr.close()
        return 1
    except OSError as error:
        # A full disk, a folder that went away: the machine's doing. An error of writing names no file.
        unnamed = f"stdout, a file of the results, or a file in {tempfile.gettempdir()} (TMPDIR)"
        where = error.filename if error.filename is not None else unnamed
        print(f"agentdyno: {where}: {error.strerror or error}; {remedy(error)}", file=sys.stderr)
        _drop_stdout()
        return 1
    return status
