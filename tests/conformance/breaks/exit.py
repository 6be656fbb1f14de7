"""Breaks of how a run ends, and of what it leaves behind."""

import contextlib
import signal
from collections.abc import Callable
from typing import Any

from breaks.declare import Break


def _status(change: Callable[[int, set[str]], int]) -> Callable[[], None]:
    """End with `change(EXIT STATUS, OUTCOMES)`."""

    def apply() -> None:
        from agentloop import run
        from agentloop.events import EventFile

        outcomes: set[str] = set()
        emit, perform = EventFile.emit, run.perform

        def emit_and_note(self: Any, event: Any) -> None:
            outcomes.add(event.get("outcome", ""))
            emit(self, event)

        EventFile.emit = emit_and_note  # type: ignore[method-assign]
        run.perform = lambda *arguments: change(perform(*arguments), outcomes)

    return apply


def refused_ends_the_run() -> None:
    from agentloop.answer import TryFailed
    from agentloop.chat import Chat

    connect = Chat._connect

    async def connect_or_end(self: Any) -> Any:
        try:
            return await connect(self)
        except TryFailed as failure:
            raise RuntimeError(failure) from None

    Chat._connect = connect_or_end  # type: ignore[method-assign]


def _handlers(add: Callable[[Any, Any, Any, Any], None]) -> None:
    """Do something else than the event loop where a signal's handler is set, while the run goes on."""
    from asyncio import unix_events

    original = unix_events._UnixSelectorEventLoop.add_signal_handler
    unix_events._UnixSelectorEventLoop.add_signal_handler = (  # type: ignore[method-assign]
        lambda self, number, callback, *arguments: add(original, self, number, (callback, *arguments))
    )


def dies_of_signals() -> None:
    _handlers(lambda add, loop, number, callback: signal.signal(number, signal.SIG_DFL))


def ignores_signals() -> None:
    _handlers(lambda add, loop, number, callback: signal.signal(number, signal.SIG_IGN))


def dies_of_the_second() -> None:
    def add_once(add: Any, loop: Any, number: int, callback: Any) -> None:
        def once(function: Any, *arguments: Any) -> None:
            signal.signal(number, signal.SIG_DFL)
            loop.call_later(0.1, function, *arguments)

        add(loop, number, once, *callback)

    _handlers(add_once)


def six_seconds_late() -> None:
    _handlers(lambda add, loop, number, callback: add(loop, number, lambda: loop.call_later(6, *callback)))


def _forgets(is_forgotten: Callable[[Any], bool]) -> Callable[[], None]:
    """Leave out some events."""

    def apply() -> None:
        from agentloop.events import EventFile

        emit = EventFile.emit
        EventFile.emit = lambda self, event: (  # type: ignore[method-assign]
            None if is_forgotten(event) else emit(self, event)
        )

    return apply


def interrupted_is_failed() -> None:
    from agentloop.events import EventFile

    emit = EventFile.emit
    EventFile.emit = lambda self, event: emit(  # type: ignore[method-assign]
        self, {**event, "reason": "stopped"} if event.get("reason") == "interrupted" else event
    )


def asks_politely() -> None:
    """And waits for those who do not listen."""
    from agentloop import process

    process.signal.SIGKILL = signal.SIGTERM  # type: ignore[misc]


def ignored_stays_ignored() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) == signal.SIG_IGN:
            ignores_signals()


def blocked_stays_blocked() -> None:
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    original = signal.pthread_sigmask
    signal.pthread_sigmask = lambda how, numbers: original(  # type: ignore[assignment]
        how, set(numbers) - blocked if how == signal.SIG_UNBLOCK else numbers
    )


def sigchld_stays_ignored() -> None:
    original = signal.signal
    signal.signal = lambda number, handler: (  # type: ignore[assignment]
        None if number == signal.SIGCHLD else original(number, handler)
    )


def stderr_must_be_read() -> None:
    import sys

    from agentloop import log

    log.log_line = lambda line: print(f"agentloop: {line}", file=sys.stderr)


def full_disk_is_passed_over() -> None:
    from agentloop.events import EventFile, EventFileFailed

    emit = EventFile.emit

    def emit_if_possible(self: Any, event: Any) -> None:
        with contextlib.suppress(EventFileFailed):
            emit(self, event)

    EventFile.emit = emit_if_possible  # type: ignore[method-assign]


def many_lines() -> None:
    import sys

    from agentloop import run

    run.log_line = lambda line: print(f"Traceback:\n{line}", file=sys.stderr)


def dies_at_the_limit_of_a_file() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)


def groups_live_on() -> None:
    from agentloop.process import Child

    Child._kill = lambda self: None  # type: ignore[method-assign]


def nobody_reaps() -> None:
    import os

    from agentloop import process

    waitid = os.waitid
    process.os.waitid = lambda kind, pid, options: waitid(kind, pid, options | os.WNOWAIT)


def folders_stay() -> None:
    from agentloop.workspace import Workspace

    async def leave(self: Any, *_: Any) -> None:
        pass

    Workspace.__aexit__ = leave  # type: ignore[method-assign]


def folders_stay_after_a_signal() -> None:
    import asyncio

    from agentloop.workspace import Workspace

    leave = Workspace.__aexit__

    async def leave_unless_cancelled(self: Any, kind: Any, *others: Any) -> None:
        if kind is not asyncio.CancelledError:
            await leave(self, kind, *others)

    Workspace.__aexit__ = leave_unless_cancelled  # type: ignore[method-assign]


def children_stay_after_a_signal() -> None:
    from agentloop.process import Child

    Child.__exit__ = lambda self, *_: None  # type: ignore[method-assign]


VERIFYING = "exit.signals/SIGTERM in mid-verification"
STUBBORN = "exit.signals/SIGTERM in a verification that ignores signals"

BREAKS = [
    Break(
        "exit.status",
        "1 when one failed",
        "exit.status/every task failed",
        _status(lambda s, o: int("failed" in o)),
    ),
    Break("exit.status", "refused ends it", "exit.status/the endpoint dies", refused_ends_the_run),
    Break(
        "exit.signals",
        "0",
        "exit.signals/SIGTERM waiting for headers",
        _status(lambda status, outcomes: 0),
    ),
    Break(
        "exit.signals",
        "130 of SIGTERM",
        "exit.signals/SIGTERM in mid-stream",
        _status(lambda status, outcomes: 130 if status else 0),
    ),
    Break("exit.signals", "dies", "exit.signals/SIGINT as soon as run_start is there", dies_of_signals),
    Break("exit.signals", "ignored", "exit.signals/SIGTERM sleeping before a try", ignores_signals),
    Break("exit.signals", "dies of the second", "exit.signals/SIGTERM again and again", dies_of_the_second),
    Break("exit.signals", "late", "exit.signals/SIGTERM waiting for headers", six_seconds_late),
    Break(
        "exit.signals",
        "forgets those that wait",
        "exit.signals/SIGTERM waiting for a slot",
        _forgets(lambda event: event.get("attempts") == 0),
    ),
    Break(
        "exit.signals",
        "forgets those under way",
        "exit.signals/SIGINT in the second attempt",
        _forgets(lambda event: event.get("verdict") == "interrupted"),
    ),
    Break("exit.signals", "another reason", "exit.signals/SIGTERM while connecting", interrupted_is_failed),
    Break(
        "exit.signals",
        "politely",
        STUBBORN,
        asks_politely,
    ),
    Break("exit.inherited", "ignored", "exit.inherited/SIGINT ignored by its parent", ignored_stays_ignored),
    Break("exit.inherited", "blocked", "exit.inherited/SIGTERM blocked by its parent", blocked_stays_blocked),
    Break(
        "exit.inherited",
        "SIGCHLD",
        "exit.inherited/SIGCHLD ignored and blocked by its parent",
        sigchld_stays_ignored,
    ),
    Break("exit.inherited", "stderr", "exit.inherited/nobody reads its stderr", stderr_must_be_read),
    Break("exit.disk", "passed over", "exit.disk/full in the middle of the run", full_disk_is_passed_over),
    Break("exit.disk", "many lines", "exit.disk/full in the middle of the run", many_lines),
    Break("exit.disk", "0", "exit.disk/full from the start", full_disk_is_passed_over),
    Break("exit.disk", "SIGXFSZ", "exit.disk/as large as a file may be", dies_at_the_limit_of_a_file),
    Break(
        "exit.processes",
        "groups live on",
        "exit.processes/children of a verifier that has passed",
        groups_live_on,
    ),
    Break("exit.processes", "after a signal", STUBBORN, children_stay_after_a_signal),
    Break("exit.zombies", "nobody reaps", "exit.zombies/forty verifications", nobody_reaps),
    Break("exit.workspaces", "they stay", "exit.workspaces/however an attempt ends", folders_stay),
    Break("exit.workspaces", "after a signal", VERIFYING, folders_stay_after_a_signal),
]
