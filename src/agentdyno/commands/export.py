"""`agentdyno export`: the runs of an experiment, for viewers that others have made."""

import argparse
from pathlib import Path
from urllib.parse import urlsplit

from agentdyno.errors import UserError
from agentdyno.format import counted
from agentdyno.options import add_folder
from agentdyno.results.experiment import Experiment, open_experiment
from agentdyno.results.records import Run
from agentdyno.trace.perfetto import FILE, write_trace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `export` can make, and the options of each."""
    formats = parser.add_subparsers(dest="format", metavar="FORMAT", required=True)
    perfetto = formats.add_parser(
        "perfetto",
        help="a trace for ui.perfetto.dev of each run",
        description=f"Write a trace of each run for ui.perfetto.dev, as {FILE} into its folder.",
    )
    otlp = formats.add_parser(
        "otlp",
        help="send attempts as OpenTelemetry spans",
        description="Send every attempt as OpenTelemetry spans, by the conventions for generative AI and by "
        "OTLP over HTTP. What is not said here is taken from OTEL_EXPORTER_OTLP_* and "
        "OTEL_RESOURCE_ATTRIBUTES.",
    )
    for each in (perfetto, otlp):
        add_folder(each)
        each.add_argument(
            "--run",
            metavar="NAME",
            help="only this run: its folder's name, or the number that begins it, as 007 (default: all)",
        )
    perfetto.add_argument(
        "-o", dest="out", type=Path, metavar="FILE", help="write to FILE, for one run; a name in .json.gz"
    )
    otlp.add_argument(
        "--endpoint",
        type=_address,
        metavar="URL",
        help="the receiver's address, to which /v1/traces is added (default: http://localhost:4318)",
    )
    otlp.add_argument(
        "--header",
        type=_header,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="send this with every request, such as a key; may be given several times",
    )


def run(arguments: argparse.Namespace) -> int:
    """Export, say what came of it, and return 0."""
    experiment = open_experiment(arguments.folder)
    runs = _chosen(experiment, arguments.run)
    if arguments.format == "perfetto":
        return _perfetto(runs, arguments.out)
    return _otlp(experiment, runs, arguments)


def _perfetto(runs: list[Run], out: Path | None) -> int:
    if out is not None and len(runs) != 1:
        raise UserError(f"-o {out}: holds one run, and there are {len(runs)}; name one with --run")
    for each in runs:
        path = out or each.folder / FILE
        write_trace(each.read(), path)
        print(path)
    return 0


def _otlp(experiment: Experiment, runs: list[Run], arguments: argparse.Namespace) -> int:
    # Only who sends spans needs OpenTelemetry, which takes its time to be imported.
    from agentdyno.trace.otlp import Sender
    from agentdyno.trace.spans import spans

    sender = Sender(arguments.endpoint, dict(arguments.header))
    for each in runs:
        sender.send(spans(each.read(), experiment.document["experiment"], experiment.document["environment"]))
    of = counted(len(runs), "run")
    print(f"{sender.receiver}: {sender.accepted} spans of {of} were accepted")
    return 0


def _chosen(experiment: Experiment, name: str | None) -> list[Run]:
    if name is None:
        return experiment.runs
    chosen = [each for each in experiment.runs if name in (each.folder.name, each.folder.name.split("-")[0])]
    if not chosen:
        names = ", ".join(each.folder.name for each in experiment.runs)
        raise UserError(f"--run {name}: {experiment.path} has no such run; there are {names}")
    return chosen


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UserError(f"--endpoint must be a URL as http://localhost:4318, not {text!r}")
    return text


def _header(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        # It may be a key, so it is not repeated.
        raise UserError("--header must be NAME=VALUE")
    return name, value
