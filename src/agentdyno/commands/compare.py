"""`agentdyno compare`."""

import argparse
import json
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from agentdyno.analysis.gate import Failure
from agentdyno.analysis.registry import METRICS, Better
from agentdyno.compare.change import parse
from agentdyno.compare.comparable import incomplete, obstacles, remarks
from agentdyno.compare.comparison import SHOWN, Comparison, document, judgements
from agentdyno.compare.outputs import benchmarks, junit, markdown, metric_format, print_comparison
from agentdyno.compare.pairs import Pairing, across, described, within
from agentdyno.errors import UserError
from agentdyno.files import write_text
from agentdyno.report.tables import console
from agentdyno.results.experiment import Experiment, open_experiment
from agentdyno.results.summary import Row, invalid

STDOUT = Path("-")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `compare`."""
    parser.add_argument("base", metavar="BASE", help="results to compare with: a folder or its summary")
    parser.add_argument("new", metavar="NEW", help="results to judge")
    parser.add_argument(
        "--in",
        dest="within",
        type=Path,
        metavar="DIR",
        help="BASE and NEW are two runtimes of the experiment in DIR; its runs are paired by block",
    )
    parser.add_argument(
        "--runtimes",
        type=lambda text: text.split(","),
        default=[],
        metavar="NAME,…",
        help="compare the rows of these alone (default: all that both have)",
    )
    parser.add_argument(
        "--fail-if",
        dest="limits",
        action="append",
        type=parse,
        default=[],
        metavar="LIMIT",
        help="exit with 1 if a row is beyond 'METRIC > +5%%', '> +0.5' (a change in the metric's unit) or "
        "'> 50' (NEW's own figure), with < where more is better; may be given several times",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="compare what is not comparable, and say so in everything that is written",
    )
    parser.add_argument("--all", action="store_true", help="show every metric, not the most important alone")
    parser.add_argument("--json", action="store_true", help="print everything as JSON instead of tables")
    for option, what in (
        ("--markdown", "a comment for a pull request"),
        ("--junit", "JUnit XML, a test case for each limit and row"),
        ("--github-action-benchmark", "NEW's figures for github-action-benchmark, customSmallerIsBetter"),
        ("--github-action-benchmark-bigger", "the same for customBiggerIsBetter"),
        ("--bencher", "NEW's figures in Bencher Metric Format"),
    ):
        parser.add_argument(
            option, type=Path, metavar="FILE", help=f"write {what}; - prints it instead of tables"
        )


def run(arguments: argparse.Namespace) -> int:
    """Compare, write what was asked for, and return 1 where a limit is not kept, else 0."""
    _check(arguments)
    if arguments.within is None:
        base, new = open_experiment(arguments.base), open_experiment(arguments.new)
        names = _named(arguments.base, base), _named(arguments.new, new)
        pairing = across(base, new, arguments.runtimes)
        found = _compared(arguments, names, pairing, obstacles(base, new, pairing.pairs), remarks(base, new))
    else:
        new = open_experiment(arguments.within)
        names = arguments.base, f"{arguments.new}, both in {_named(arguments.within, new)}"
        pairing = within(new, arguments.base, arguments.new)
        found = _compared(arguments, names, pairing, [], incomplete((f"{arguments.within}", new)))
    if found.obstacles and not arguments.force:
        reasons = "".join(f"\n  {obstacle}" for obstacle in found.obstacles)
        raise UserError(f"BASE and NEW are not comparable; mend this, or give --force:{reasons}")
    _write(arguments, found, new)
    return 0 if found.kept else 1


def _check(arguments: argparse.Namespace) -> None:
    printed = [option for option, path in _files(arguments).items() if path == STDOUT]
    printed += ["--json"] if arguments.json else []
    if len(printed) > 1:
        raise UserError(f"{' and '.join(printed)} would both be printed; give all but one a file")
    if arguments.junit and not arguments.limits:
        raise UserError("--junit has a test case for each limit; give --fail-if, as in 'peak_rss_mib > +5%'")
    if arguments.within and arguments.runtimes:
        raise UserError(
            "--runtimes chooses rows of two experiments; with --in, BASE and NEW are the runtimes"
        )


def _compared(
    arguments: argparse.Namespace,
    names: tuple[str, str],
    pairing: Pairing,
    obstacles: list[str],
    remarks: list[str],
) -> Comparison:
    asked_for = {*SHOWN, *(limit.metric for limit in arguments.limits)}
    sides = ("BASE, ", "NEW, ") if arguments.within is None else ("", "")
    return Comparison(
        *names,
        pairs=pairing.pairs,
        metrics=[metric for metric in METRICS if arguments.all or metric in asked_for],
        obstacles=obstacles,
        remarks=[
            *pairing.remarks,
            *(f"left out: {row}: only in BASE" for row in pairing.gone),
            *(f"left out: {row}: only in NEW" for row in pairing.added),
            *remarks,
            *dict.fromkeys(
                _complaint(side, row, failure)
                for pair in pairing.pairs
                for side, row in zip(sides, (pair.base, pair.new), strict=True)
                for failure in row.failures
            ),
        ],
        judgements=judgements(arguments.limits, pairing),
    )


def _complaint(side: str, row: Row, failure: Failure) -> str:
    """Why a row is not valid; a failure of the whole experiment is said once."""
    rows = "all rows" if failure.run is None else described(row.cell)
    return f"{invalid(failure)} {side}{rows}, {failure.line}"


def _named(given: object, experiment: Experiment) -> str:
    commit = experiment.document["environment"]["git_commit"]
    started = experiment.document["experiment"]["started"]
    return f"{given}, measured {started}{f' at commit {commit[:8]}' if commit else ''}"


def _write(arguments: argparse.Namespace, found: Comparison, new: Experiment) -> None:
    written = datetime.fromisoformat(new.document["experiment"]["written"])
    forms: dict[str, Callable[[], str]] = {
        "--markdown": lambda: markdown(found),
        "--junit": lambda: junit(found, written),
        "--github-action-benchmark": lambda: _json(benchmarks(found, Better.LESS)),
        "--github-action-benchmark-bigger": lambda: _json(benchmarks(found, Better.MORE)),
        "--bencher": lambda: _json(metric_format(found)),
    }
    files = _files(arguments)
    for option, path in files.items():
        if path != STDOUT:
            write_text(path, forms[option]())
    printed = next((option for option, path in files.items() if path == STDOUT), None)
    if arguments.json:
        print(_json(document(found)), end="")
    elif printed:
        print(forms[printed](), end="")
    else:
        print_comparison(console(), found)
        return
    for judgement in found.judgements:
        if not judgement.kept:
            print(judgement.line, file=sys.stderr)


def _files(arguments: argparse.Namespace) -> dict[str, Path]:
    """Where each output goes, of those that were asked for."""
    paths = {
        "--markdown": arguments.markdown,
        "--junit": arguments.junit,
        "--github-action-benchmark": arguments.github_action_benchmark,
        "--github-action-benchmark-bigger": arguments.github_action_benchmark_bigger,
        "--bencher": arguments.bencher,
    }
    return {option: path for option, path in paths.items() if path is not None}


def _json(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
