"""`agentdyno conform`: hold runtimes to the contract."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from agentdyno.conformance import suite, table
from agentdyno.conformance.rules import RULES
from agentdyno.errors import UserError
from agentdyno.files import write_json
from agentdyno.options import whole
from agentdyno.process.signals import Interrupted, Interrupts
from agentdyno.project import CONTRACT_VERSION, RESULTS
from agentdyno.runtimes.build import build
from agentdyno.runtimes.manifest import Manifest, choose
from agentdyno.runtimes.packages import buildable, install, say_skipped

JOBS_PER_CORE = 2
"""Most cases wait most of the time."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `conform`."""
    parser.add_argument(
        "runtimes",
        nargs="*",
        metavar="RUNTIME",
        help="names below runtimes/, or paths of a runtime's folder or manifest (default: all in runtimes/)",
    )
    parser.add_argument(
        "--only",
        action="append",
        metavar="RULE",
        help="play only the cases of this rule, or this case; a prefix serves; may be given several times",
    )
    parser.add_argument("--list", action="store_true", help="print the rules with their cases, and play none")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every result of every case there")
    parser.add_argument("--install", action="store_true", help="as for run")
    parser.add_argument(
        "--jobs",
        type=whole("--jobs", 1),
        default=JOBS_PER_CORE * (os.cpu_count() or 1),
        metavar="N",
        help="cases at a time (default: %(default)s); lower it where evidence speaks of time",
    )


def run(arguments: argparse.Namespace) -> int:
    """Play the cases and print a table for each runtime; 0 when no rule is broken, else 1."""
    names = _chosen(arguments.only)
    if arguments.list:
        _list(names)
        return 0
    manifests = choose(arguments.runtimes or None)
    if arguments.install:
        install(manifests)
    if not arguments.runtimes:
        every, manifests = manifests, buildable(manifests)
        say_skipped([manifest for manifest in every if manifest not in manifests])
    console = Console()
    played: dict[str, list[suite.Result]] = {}
    interrupts = Interrupts()
    try:
        with interrupts:
            interrupts.defer()
            for manifest in manifests:
                results = _played(manifest, names, arguments.jobs, interrupts.check)
                played[manifest.name] = results
                table.show(console, manifest.name, results)
                if arguments.json is not None:
                    write_json(arguments.json, _document(played))
    except Interrupted as interrupted:
        print(f"agentdyno: {interrupted}", file=sys.stderr)
        return interrupted.status
    if len(played) > 1:
        table.show_together(console, played)
    broken = any(result.result == suite.BROKEN for results in played.values() for result in results)
    return 1 if broken else 0


def _chosen(only: Sequence[str] | None) -> list[str]:
    """The names of the cases to play."""
    every = list(suite.load())
    if only is None:
        return every
    chosen: set[str] = set()
    for wanted in only:
        matching = [name for name in every if name.startswith(wanted)]
        if not matching and any(rule.name == wanted for rule in RULES):
            matching = every  # a rule without cases of its own, that every case tries
        if not matching:
            raise UserError(f"--only {wanted}: no rule or case begins with that; --list shows them all")
        chosen.update(matching)
    return [name for name in every if name in chosen]


def _list(names: Sequence[str]) -> None:
    for rule in RULES:
        cases = [case.name for case in suite.load().values() if case.rule == rule.name and case.name in names]
        print(f"{rule.name} ({rule.section}): {rule.says}")
        for name in cases:
            print(f"    {name}")


def _played(
    manifest: Manifest, names: Sequence[str], jobs: int, check: Callable[[], None]
) -> list[suite.Result]:
    build(manifest, RESULTS / "build" / f"{manifest.name}.log", check)
    order = {name: place for place, name in enumerate(names)}
    results: list[suite.Result] = []
    shows = sys.stderr.isatty()
    plays = [(manifest, name) for name in names]
    for ended, (_, _, some) in enumerate(suite.play_all(plays, jobs, check), start=1):
        results += some
        if shows:
            print(f"\r{manifest.name}: {ended} of {len(names)} cases", end="", file=sys.stderr, flush=True)
    if shows:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    return sorted(results, key=lambda result: order[result.case])


def _document(played: dict[str, list[suite.Result]]) -> dict[str, object]:
    return {
        "contract_version": CONTRACT_VERSION,
        "rules": [asdict(rule) for rule in RULES],
        "runtimes": {
            runtime: {
                "broken": sorted({result.rule for result in results if result.result == suite.BROKEN}),
                "results": [asdict(result) for result in results],
            }
            for runtime, results in played.items()
        },
    }
