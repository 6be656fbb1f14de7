"""`agentdyno check`: is this machine ready, and what is to be done where it is not."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from agentdyno.calibration.capacity import known_capacity
from agentdyno.commands.experiment_options import (
    DEFAULTS,
    add_request_options,
    agents_in,
    endpoint_in,
    requested,
    runtimes,
    settings_of,
    several,
)
from agentdyno.errors import UserError
from agentdyno.measure.machine import available_mib
from agentdyno.options import whole
from agentdyno.process import limits
from agentdyno.runner.probe import probe
from agentdyno.runtimes.build import remedy
from agentdyno.runtimes.manifest import Manifest, choose
from agentdyno.tasks import builtin
from agentdyno.verifiers import cold

MIB_PER_TEST_PROCESS = 30
"""Peak of one cold pytest process on a small task."""

MIB_PER_AGENT = 0.25
"""Room for one agent and its share of the endpoint; a thread an agent takes about as much."""

MIB_FOR_THE_REST = 300
"""Harness, endpoint and the interpreter of the runtime."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `remedy` is there when it is not as it should be; `needed` when
    nothing runs without it.
    """

    subject: str
    found: str
    remedy: str | None = None
    needed: bool = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `check`."""
    parser.add_argument(
        "--agents",
        type=several(whole("--agents", 1)),
        metavar="N,…",
        help="ready for how many, the most of them where several are given "
        f"(default: BENCH_CONCURRENCY, else {max(DEFAULTS.agents)})",
    )
    parser.add_argument("--runtimes", type=runtimes, metavar="NAME,…", help="as for run")
    parser.add_argument(
        "--verify-slots",
        type=whole("--verify-slots", 1),
        default=DEFAULTS.verify_slots,
        metavar="N",
        help="as for run",
    )
    add_request_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the findings, and return 0 when everything that is needed is there, else 1."""
    agents = max(arguments.agents or agents_in(os.environ) or DEFAULTS.agents)
    manifests = choose(list(arguments.runtimes) if arguments.runtimes else None)
    findings = list(_findings(manifests, agents, arguments))
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column("what", no_wrap=True)
    table.add_column("found, and what to do", overflow="fold")
    for finding in findings:
        mark = "ok" if finding.remedy is None else "MISSING" if finding.needed else "absent"
        text = finding.found if finding.remedy is None else f"{finding.found}: {finding.remedy}"
        table.add_row(mark, finding.subject, text)
    Console().print(table, markup=False)
    ready = all(finding.remedy is None or not finding.needed for finding in findings)
    print(
        "ready" if ready else "not ready: see the lines marked MISSING",
        file=sys.stdout if ready else sys.stderr,
    )
    return 0 if ready else 1


def _findings(manifests: list[Manifest], agents: int, arguments: argparse.Namespace) -> Iterator[Finding]:
    slots = arguments.verify_slots
    yield Finding("python", f"{sys.version.split()[0]} at {sys.executable}")
    yield _attempt("verifier", lambda: f"pytest in {cold().environment['PATH'].partition(':')[0]}")
    yield _attempt("open files", lambda: _open_files(agents, slots))
    wanted = round(agents * MIB_PER_AGENT) + slots * MIB_PER_TEST_PROCESS + MIB_FOR_THE_REST
    free = available_mib()
    yield Finding(
        "memory",
        f"{free} MiB free, about {wanted} MiB wanted for {agents} agents and {slots} test processes",
        None if free >= wanted else "end other programs, or lower --agents or --verify-slots",
    )
    none_builds = all(manifest.missing() for manifest in manifests)
    for manifest in manifests:
        missing = manifest.missing()
        yield Finding(
            f"runtime {manifest.name}",
            f"{manifest.language}, {manifest.description}" if not missing else "cannot be built",
            f"needs {remedy(manifest)}" if missing else None,
            needed=none_builds,
        )
    yield _attempt("endpoint", lambda: _endpoint(arguments))
    yield _calibration()


def _attempt(subject: str, look: Callable[[], str]) -> Finding:
    """What `look` says, or its UserError as the thing to do."""
    try:
        return Finding(subject, look())
    except UserError as refusal:
        return Finding(subject, "not usable", str(refusal))


def _open_files(agents: int, slots: int) -> str:
    relayed = endpoint_in(os.environ) is not None
    wanted = limits.open_files_needed(agents, slots, relayed=relayed)
    limits.allow_open_files(wanted, f"{agents} agents")
    return f"{wanted} needed for {agents} agents, and allowed"


def _endpoint(arguments: argparse.Namespace) -> str:
    settings = settings_of(requested(arguments), os.environ, DEFAULTS)
    if settings.real_endpoint is None:
        return "simulated; set LLM_BASE_URL, LLM_MODEL and LLM_API_KEY for a real one"
    answered = probe(settings, builtin.problems()[0], os.environ.get("LLM_API_KEY", ""))
    return f"{settings.real_endpoint.base_url} answers for model {settings.model}: {answered.line}"


def _calibration() -> Finding:
    """What the simulated endpoint can serve; a finding to act on when nobody has found out here."""
    limit = known_capacity()
    if limit is None:
        return Finding(
            "calibration",
            "calibrate has not been run here with this version",
            "run `agentdyno calibrate`, a minute and a half, to know what the endpoint can serve",
            needed=False,
        )
    return Finding("calibration", f"the endpoint can serve about {limit} events a second here ({limit.date})")
