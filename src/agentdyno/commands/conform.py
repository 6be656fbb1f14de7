"""`agentdyno conform`: hold runtimes to the contract."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from agentdyno.conformance import suite, table
from agentdyno.conformance.rules import RULES
from agentdyno.files import write_json
from agentdyno.measure.cgroup import cores
from agentdyno.options import whole
from agentdyno.process.signals import Interrupted, Interrupts
from agentdyno.project import CONTRACT_VERSION, RESULTS
from agentdyno.runtimes.build import build, buildable, install, say_skipped
from agentdyno.runtimes.manifest import Manifest, choose

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
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--only",
        action="append",
        metavar="RULE",
        help="play only the cases of this rule, or this case; a prefix serves; may be given several times",
    )
    which.add_argument(
        "--quick",
        action="store_true",
        help="play a fixed sample of cases, for the minutes between two edits; no substitute for the suite",
    )
    parser.add_argument(
        "--variants",
        choices=("all", "touched"),
        default="all",
        help="what to play against a further manifest of a folder: all cases, or those of the rules that its "
        "`differs_in` names (default: %(default)s)",
    )
    parser.add_argument("--list", action="store_true", help="print the rules with their cases, and play none")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every result of every case there")
    parser.add_argument("--durations", action="store_true", help="print the ten slowest cases last")
    parser.add_argument("--install", action="store_true", help="as for run")
    parser.add_argument(
        "--jobs",
        type=whole("--jobs", 1),
        default=JOBS_PER_CORE * cores(),
        metavar="N",
        help="cases at a time (default: %(default)s); lower it where evidence speaks of time",
    )


def run(arguments: argparse.Namespace) -> int:
    """Play the cases and print a table for each runtime; 0 when no rule is broken, else 1."""
    names = list(suite.QUICK) if arguments.quick else suite.asked_for(arguments.only)
    if arguments.list:
        _list(names)
        return 0
    manifests = choose(arguments.runtimes or None)
    if arguments.install:
        install(manifests)
    if not arguments.runtimes:
        every, manifests = manifests, buildable(manifests)
        say_skipped([manifest for manifest in every if manifest not in manifests])
    plans = suite.for_each(manifests, names, touched=arguments.variants == "touched")
    console = Console()
    played: dict[str, table.Runtime] = {}
    interrupts = Interrupts()
    try:
        with interrupts:
            interrupts.defer()
            for manifest, cases in plans:
                if len(cases) < len(names):
                    print(f"{manifest.name}: {_fewer(manifest, cases, names)}", file=sys.stderr)
            build([manifest for manifest, _ in plans], RESULTS / "build", interrupts.check)
            for name, runtime in _played(plans, arguments.jobs, interrupts.check):
                played[name] = runtime
                table.show(console, name, runtime)
                if arguments.json is not None:
                    write_json(arguments.json, _document(played))
    except Interrupted as interrupted:
        print(f"agentdyno: {interrupted}", file=sys.stderr)
        return interrupted.status
    # They may have ended in another order than they were asked for.
    played = {manifest.name: played[manifest.name] for manifest, _ in plans}
    if len(played) > 1:
        table.show_together(console, played)
    if arguments.durations:
        table.show_durations(console, played)
    broken = any(result.result == suite.BROKEN for runtime in played.values() for result in runtime.results)
    return 1 if broken else 0


def _fewer(manifest: Manifest, cases: Sequence[str], names: Sequence[str]) -> str:
    return (
        f"{len(cases)} of {len(names)} cases, those of the rules in `differs_in` of {manifest.path.name}; "
        "another runtime of its folder plays all"
    )


def _list(names: Sequence[str]) -> None:
    for rule in RULES:
        cases = [case.name for case in suite.load().values() if case.rule == rule.name and case.name in names]
        print(f"{rule.name} ({rule.section}): {rule.says}")
        for name in cases:
            print(f"    {name}")


def _played(
    plans: Sequence[tuple[Manifest, list[str]]], jobs: int, check: Callable[[], None]
) -> Iterator[tuple[str, table.Runtime]]:
    """Play the cases of all runtimes in one queue, so that no processor waits for a runtime's last case.

    Yields each runtime when all its cases have been played.
    """
    shows = sys.stderr.isatty()
    waiting = {manifest.name: names for manifest, names in plans}
    ended: dict[str, list[suite.Played]] = {name: [] for name in waiting}
    plays = [(manifest, name) for manifest, names in plans for name in names]
    yield from ((name, table.Runtime([], 0.0)) for name, names in waiting.items() if not names)
    for case in suite.play_all(plays, jobs, check):
        runtime, names = ended[case.runtime], waiting[case.runtime]
        runtime.append(case)
        if shows:
            done = f"{case.runtime}: {len(runtime)} of {len(names)} cases"
            print(f"\r{done}\x1b[K", end="", file=sys.stderr, flush=True)
        if len(runtime) == len(names):
            if shows:
                print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            runtime.sort(key=lambda each: names.index(each.case))
            yield case.runtime, table.Runtime(runtime, _seconds(runtime))


def _seconds(played: Sequence[suite.Played]) -> float:
    """From the beginning of the first case to the end of the last."""
    return max(case.since_s + case.seconds for case in played) - min(case.since_s for case in played)


def _document(played: dict[str, table.Runtime]) -> dict[str, object]:
    return {
        "contract_version": CONTRACT_VERSION,
        "rules": [asdict(rule) for rule in RULES],
        "runtimes": {
            name: {
                "broken": sorted(
                    {result.rule for result in runtime.results if result.result == suite.BROKEN}
                ),
                "results": [asdict(result) for result in runtime.results],
            }
            for name, runtime in played.items()
        },
    }
