"""Chooses cases and plays them against a runtime, several at a time.

Each case has a process of its own, which adopts whatever the runtime leaves behind.
"""

import asyncio
import ctypes
import gc
import importlib
import os
import pkgutil
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from types import FrameType

from agentdyno.conformance import cases, suite
from agentdyno.conformance.case import CASES, Case
from agentdyno.conformance.rules import RULES, NotPossible, RuleViolation, group_of
from agentdyno.conformance.stage import stage
from agentdyno.errors import UserError
from agentdyno.process.die_with_parent import PR_SET_PDEATHSIG
from agentdyno.process.orphans import adopt_orphans
from agentdyno.rundata.events import KINDS, RunEvents
from agentdyno.runtimes.manifest import Manifest
from agentdyno.shape import Unfit, shaped


def asked_for(only: Sequence[str] | None) -> list[str]:
    """The names of the cases that begin with one of these words; all cases for None.

    A UserError names a word that no rule and no case begins with.
    """
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


def for_each(
    manifests: Sequence[Manifest], names: Sequence[str], *, touched: bool
) -> list[tuple[Manifest, list[str]]]:
    """Each runtime with the cases to play against it.

    With `touched`, the first runtime of a folder plays all of `names`, and each further one only those of the
    rules that its manifest names in `differs_in`, or all if it does not.
    """
    folders = set()
    plans = []
    for manifest in manifests:
        is_further = manifest.folder in folders
        folders.add(manifest.folder)
        plans.append((manifest, _touched(manifest, names) if touched and is_further else list(names)))
    return plans


def _touched(manifest: Manifest, names: Sequence[str]) -> list[str]:
    if manifest.differs_in is None:
        return list(names)
    cases = suite.load()
    rules = rules_in(manifest)
    return [name for name in names if cases[name].rule in rules]


def rules_in(manifest: Manifest) -> set[str]:
    """The names of the rules that `differs_in` means; a UserError names a word that is no rule or group."""
    rules: set[str] = set()
    for word in manifest.differs_in or ():
        meant = {rule.name for rule in RULES if word in (rule.name, group_of(rule.name))}
        if not meant:
            raise UserError(
                f"{manifest.path}: `differs_in` names {word!r}, which is no rule and no group of rules; "
                "`agentdyno conform --list` shows them"
            )
        rules |= meant
    return rules


LOOK_S = 0.25

LATE_S = 0.5
"""How late the suite itself may be where a runtime is found to break a rule; the cases allow it more."""

TRIES = 3
"""How often a case is played on a machine that stands still now and then."""

FORK = get_context("fork")

KEPT, BROKEN, NOT_TRIED = "kept", "broken", "not tried"

QUICK = (
    "run-file.fields/missing",
    "run-file.agents/more tasks than agents",
    "messages.conversation/four attempts",
    "stream.framing/a byte a packet",
    "stream.framing/a character over three chunks",
    "files.gone/with more files",
    "transport.connection/closed in the stream",
    "transport.reuse/closed between two requests",
    "verify.timeout/endless loop",
    "verify.group/a child",
    "tools.calls/one after the other",
    "events.flushed/while the run goes on",
    "exit.signals/SIGTERM in mid-verification",
)
"""A sample for the time between two edits, which takes a few seconds.

It has a case for each part of a runtime, from the run file to the end by a signal, and every case checks the
invariants too. The sample is no substitute for the suite.
"""


@dataclass(frozen=True, slots=True)
class Result:
    """What one case says of one rule: `kept`, `broken` or `not tried`, and the evidence in one line."""

    rule: str
    case: str
    result: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Played:
    """One case that was played against one runtime: what it says, and how many seconds it took.

    It began at `since_s` of the monotonic clock.
    """

    runtime: str
    case: str
    results: list[Result]
    since_s: float
    seconds: float


def load() -> dict[str, Case]:
    """Every case of the suite by name, in the order of the rules."""
    for module in pkgutil.iter_modules(cases.__path__):
        importlib.import_module(f"{cases.__name__}.{module.name}")
    places = {rule.name: place for place, rule in enumerate(RULES)}
    return dict(sorted(CASES.items(), key=lambda entry: places[entry[1].rule]))


def play(manifest: Manifest, case: Case) -> list[Result]:
    """Play one case in this process, which must adopt orphans.

    What was broken while this process itself was late is played again: the machine may have stood still, and
    the runtime not be to blame. When it is so at every try, what the last one found holds.
    """
    if case.needs_tools and manifest.tools is None:
        return [Result(case.rule, case.name, NOT_TRIED, "the manifest offers no `tools`")]
    for _ in range(TRIES):
        results, late_s = _play_once(manifest, case)
        if late_s < LATE_S or all(result.result != BROKEN for result in results):
            return results
    late = f" (the suite itself was {late_s:.1f} s late: is this machine too busy?)"
    return [
        replace(result, evidence=result.evidence + late) if result.result == BROKEN else result
        for result in results
    ]


def _play_once(manifest: Manifest, case: Case) -> tuple[list[Result], float]:
    """What the case says, and how late this process was at the worst, in seconds."""
    name = case.name
    with stage(manifest) as here:
        try:
            own = Result(case.rule, name, KEPT, asyncio.run(case.play(here)))
        except (RuleViolation, UserError) as broken:
            own = Result(case.rule, name, BROKEN, _line(str(broken)))
        except NotPossible as impossible:
            own = Result(case.rule, name, NOT_TRIED, _line(str(impossible)))
        invariants = [
            Result(found.rule, name, KEPT if found.kept else BROKEN, _line(found.evidence))
            for found in here.findings
        ]
    return [own, *invariants], here.late_s


def play_all(plays: Iterable[tuple[Manifest, str]], jobs: int, check: Callable[[], None]) -> Iterator[Played]:
    """Play cases, `jobs` at a time, and yield each when it has ended.

    `check` is called meanwhile and raises if the suite is to be broken off.
    """
    cases_by_name = load()
    _read_events()
    gc.freeze()  # A collection in a fork would copy every page that it looks at.
    waiting = deque(plays)
    running: dict[object, _Playing] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                manifest, name = waiting.popleft()
                playing = _start(manifest, cases_by_name[name])
                running[playing.receiver] = playing
            for ended in connection.wait([playing.receiver for playing in running.values()], LOOK_S):
                playing = running.pop(ended)
                seconds = time.monotonic() - playing.since_s
                results = _received(playing, check)
                yield Played(playing.runtime, playing.case, results, playing.since_s, seconds)
            check()
    finally:
        for playing in running.values():
            playing.process.terminate()
        for playing in running.values():
            playing.process.join()


def _read_events() -> None:
    """Work out once, for all forks, how events are read."""
    RunEvents()
    for kind in KINDS.values():
        with suppress(Unfit):
            shaped({}, kind)


@dataclass(frozen=True, slots=True)
class _Playing:
    """A case that is being played, since `since_s` of the monotonic clock."""

    runtime: str
    case: str
    receiver: Connection
    process: ForkProcess
    since_s: float


def _start(manifest: Manifest, case: Case) -> _Playing:
    """Fork a process that plays the case: it shares all that is loaded, and nothing that the case does."""
    since_s = time.monotonic()
    receiver, sender = FORK.Pipe(duplex=False)
    process = FORK.Process(target=_play_and_send, args=(manifest, case, sender, os.getpid()))
    process.start()
    sender.close()
    return _Playing(manifest.name, case.name, receiver, process, since_s)


def _received(playing: _Playing, check: Callable[[], None]) -> list[Result]:
    try:
        results: list[Result] = playing.receiver.recv()
    except EOFError:
        playing.process.join()
        if playing.process.exitcode in (128 + signal.SIGTERM, -signal.SIGTERM, -signal.SIGKILL):
            check()  # The signal may have been for the whole group.
            raise UserError(
                f"case {playing.case}: its process was ended by a signal from outside; play it again",
                status=1,
            ) from None
        raise RuntimeError(f"case {playing.case} is itself at fault; its traceback is above") from None
    finally:
        playing.receiver.close()
    playing.process.join()
    return results


def _play_and_send(manifest: Manifest, case: Case, sender: Connection, parent: int) -> None:
    """Play in a process that adopts orphans, ends when its parent does, and ends in order when told to."""
    signal.signal(signal.SIGTERM, _end)
    # The parent sees it too, and tells us. To ignore it would be inherited by the runtimes.
    signal.signal(signal.SIGINT, lambda number, frame: None)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        _end(signal.SIGTERM, None)
    adopt_orphans()
    sender.send(play(manifest, case))


def _end(number: int, frame: FrameType | None) -> None:
    # Once is enough: another one would cut off what the first one has begun to clear away.
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    raise SystemExit(128 + number)


def _line(text: str) -> str:
    return " ".join(text.split())
