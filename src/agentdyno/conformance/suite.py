"""Plays cases against a runtime, several at a time, each in a process that adopts whatever is left behind."""

import asyncio
import ctypes
import importlib
import multiprocessing
import os
import pkgutil
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from types import FrameType

from agentdyno.child import adopt_orphans
from agentdyno.conformance import cases
from agentdyno.conformance.case import CASES, Broken, Case, NotPossible
from agentdyno.conformance.stage import stage
from agentdyno.die_with_parent import PR_SET_PDEATHSIG
from agentdyno.errors import Refusal
from agentdyno.runtimes.manifest import Manifest

LOOK_S = 0.25

KEPT, BROKEN, NOT_TRIED = "kept", "broken", "not tried"


@dataclass(frozen=True, slots=True)
class Result:
    """What one case says of one rule: `kept`, `broken` or `not tried`, and the evidence in one line."""

    rule: str
    case: str
    result: str
    evidence: str


def load() -> dict[str, Case]:
    """Every case of the suite, by name."""
    for module in pkgutil.iter_modules(cases.__path__):
        importlib.import_module(f"{cases.__name__}.{module.name}")
    return CASES


def play(manifest: Manifest, name: str) -> list[Result]:
    """Play one case in this process."""
    try:
        return _played(manifest, load()[name])
    except SystemExit as told_to_end:
        # The pool would take it for the case's result and go on.
        os._exit(int(told_to_end.code or 0))


def _played(manifest: Manifest, case: Case) -> list[Result]:
    name = case.name
    if case.needs_tools and manifest.tools is None:
        return [Result(case.rule, name, NOT_TRIED, "the manifest offers no `tools`")]
    with stage(manifest) as here:
        try:
            own = Result(case.rule, name, KEPT, asyncio.run(case.play(here)))
        except (Broken, Refusal) as broken:
            own = Result(case.rule, name, BROKEN, _line(str(broken)))
        except NotPossible as impossible:
            own = Result(case.rule, name, NOT_TRIED, _line(str(impossible)))
        always = [
            Result(found.rule, name, KEPT if found.kept else BROKEN, _line(found.evidence))
            for found in here.findings
        ]
    return [own, *always]


def play_all(
    manifest: Manifest, names: Sequence[str], jobs: int, check: Callable[[], None]
) -> Iterator[list[Result]]:
    """Play the cases, `jobs` at a time, and yield what each says as it ends. `check` is called meanwhile and
    raises if the suite is to be broken off.
    """
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(jobs, context, prepare) as pool:
        waiting: set[Future[list[Result]]] = {pool.submit(play, manifest, name) for name in names}
        try:
            while waiting:
                done, waiting = wait(waiting, LOOK_S, "FIRST_COMPLETED")
                for future in done:
                    yield future.result()
                check()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                process.terminate()
            raise


def prepare() -> None:
    """Make this a worker that adopts orphans, ends with us, and ends in order when it is told to."""
    adopt_orphans()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _line(text: str) -> str:
    return " ".join(text.split())
