"""Breaks of what the event file says, and when."""

import os
import time
from collections.abc import Callable
from typing import Any

from breaks.declare import Break

Event = dict[str, Any]


def _emitted(change: Callable[[Event], Event]) -> Callable[[], None]:
    """Write every event as it is after a change."""

    def apply() -> None:
        from agentloop.events import EventFile

        emit = EventFile.emit
        EventFile.emit = lambda self, event: emit(self, change(dict(event)))  # type: ignore[method-assign]

    return apply


def _with(**fields: Callable[[Event], Any]) -> Callable[[], None]:
    """Write other values into those events that have the fields."""
    return _emitted(
        lambda event: event | {name: value(event) for name, value in fields.items() if name in event}
    )


def _without(name: str) -> Callable[[], None]:
    return _emitted(lambda event: {known: value for known, value in event.items() if known != name})


def _instead_of_emit(emit_through: Callable[[Any, Any, Event], None]) -> None:
    from agentloop.events import EventFile

    emit = EventFile.emit
    EventFile.emit = (  # type: ignore[method-assign]
        lambda self, event: emit_through(emit, self, dict(event))
    )


def no_end() -> None:
    def emit_through(emit: Any, file: Any, event: Event) -> None:
        if event["event"] != "run_end":
            emit(file, event)

    _instead_of_emit(emit_through)


def task_twice() -> None:
    def emit_through(emit: Any, file: Any, event: Event) -> None:
        for _ in range(1 + (event["event"] == "task")):
            emit(file, event)

    _instead_of_emit(emit_through)


def task_first() -> None:
    held: list[Event] = []

    def emit_through(emit: Any, file: Any, event: Event) -> None:
        if event["event"] == "attempt":
            held.append(event)
            return
        emit(file, event)
        while held:
            emit(file, held.pop())

    _instead_of_emit(emit_through)


def written_at_the_end() -> None:
    held: list[Event] = []

    def emit_through(emit: Any, file: Any, event: Event) -> None:
        held.append(event)
        if event["event"] == "run_end":
            for each in held:
                emit(file, each)

    _instead_of_emit(emit_through)


def written_with_the_next() -> None:
    held: list[Event] = []

    def emit_through(emit: Any, file: Any, event: Event) -> None:
        held.append(event)
        while len(held) > (event["event"] != "run_end"):
            emit(file, held.pop(0))

    _instead_of_emit(emit_through)


def cut(text: str) -> str:
    return text[:65536]


def completion_stripped() -> None:
    from agentloop import chat

    digest = chat.sha256_hex
    chat.sha256_hex = lambda data: digest(data.strip())


def completion_of_every_attempt() -> None:
    from agentloop.sha256 import sha256_hex

    nothing = sha256_hex(b"")
    _with(completion_sha256=lambda event: event["completion_sha256"] or nothing)()


def sleeps_are_not_counted() -> None:
    from agentloop.chat import Chat

    tries = Chat._try_once

    async def counted(self: Any, body: bytes, attempt: Any, total: Any) -> Any:
        if attempt.transport_retries:
            attempt.transport_ns -= 1_000_000_000
        return await tries(self, body, attempt, total)

    Chat._try_once = counted  # type: ignore[method-assign]


def request_of_the_first_try() -> None:
    from agentloop.chat import Chat

    tries = Chat._try_once
    stamped: dict[str, int] = {}

    async def stamp_once(self: Any, body: bytes, attempt: Any, total: Any) -> Any:
        begun = stamped.setdefault(f"{attempt.task} {attempt.attempt}", time.monotonic_ns())
        try:
            return await tries(self, body, attempt, total)
        finally:
            attempt.t_request = begun

    Chat._try_once = stamp_once  # type: ignore[method-assign]


def _stamped_by_verifier(change: Callable[[Any], None]) -> Callable[[], None]:
    def apply() -> None:
        from agentloop.verifier import Verifier

        verify = Verifier.verify

        async def stamped(self: Any, folder: str, attempt: Any) -> Any:
            finished = await verify(self, folder, attempt)
            change(attempt)
            return finished

        Verifier.verify = stamped  # type: ignore[method-assign]

    return apply


def exit_is_the_start(attempt: Any) -> None:
    attempt.t_exit = attempt.t_started


def queue_is_the_spawn(attempt: Any) -> None:
    attempt.t_queue = attempt.t_spawn


def spawn_is_the_exit(attempt: Any) -> None:
    attempt.t_spawn = attempt.t_started = attempt.t_exit


def spawn_is_the_queue(attempt: Any) -> None:
    attempt.t_spawn = attempt.t_queue


def begins_with_the_task() -> None:
    from agentloop.events import Attempt

    following = Attempt.following

    def earlier(self: Any) -> Any:
        attempt = following(self)
        attempt.t_begin = self.t_begin
        return attempt

    Attempt.following = earlier  # type: ignore[method-assign]


FIRST_AND_LAST = "events.format/the first line and the last"
TASK_IDS = "events.format/task ids of all kinds"
OUTCOMES = "events.accounting/every outcome"
ENDINGS = "events.values/how verifiers end"
TRIES = "events.values/tries and the time they took"
STREAM = "events.times/the stream's"
VERIFIER = "events.times/the verifier's"

BREAKS = [
    Break("events.format", "a field less", FIRST_AND_LAST, _without("timed_out")),
    Break("events.format", "the parent's pid", FIRST_AND_LAST, _with(pid=lambda event: os.getppid())),
    Break("events.format", "no run_end", FIRST_AND_LAST, no_end),
    Break("events.format", "tasks before attempts", FIRST_AND_LAST, task_first),
    Break("events.format", "ASCII", TASK_IDS, _with(task=lambda event: ascii(event["task"])[1:-1])),
    Break(
        "events.format", "one line", TASK_IDS, _with(task=lambda event: " ".join(event["task"].split("\n")))
    ),
    Break(
        "events.format",
        "cut",
        "events.format/long lines of many agents",
        _with(usage=lambda event: event["usage"] and {"note": cut(event["usage"]["note"])}),
    ),
    Break("events.accounting", "twice", OUTCOMES, task_twice),
    Break("events.accounting", "one attempt", OUTCOMES, _with(attempts=lambda event: 1)),
    Break(
        "events.accounting",
        "errors are failures",
        OUTCOMES,
        _with(outcome=lambda event: "failed" if event["outcome"] == "error" else event["outcome"]),
    ),
    Break("events.accounting", "no reason", OUTCOMES, _with(reason=lambda event: None)),
    Break(
        "events.digests",
        "request",
        "events.digests/of every completion",
        _with(request_sha256=lambda event: "0"),
    ),
    Break("events.digests", "stripped", "events.digests/of every completion", completion_stripped),
    Break("events.digests", "without one", "events.digests/of every completion", completion_of_every_attempt),
    Break("events.values", "no signals", ENDINGS, _with(signal=lambda event: None)),
    Break(
        "events.values",
        "signals as exit codes",
        ENDINGS,
        _with(exit_code=lambda event: 128 + event["signal"] if event["signal"] else event["exit_code"]),
    ),
    Break("events.values", "no timeouts", ENDINGS, _with(timed_out=lambda event: False)),
    Break(
        "events.values",
        "0 for null",
        "events.values/phases that did not happen",
        _with(t_queue=lambda event: event["t_queue"] or event["t_last"]),
    ),
    Break("events.values", "no usage", "events.values/usage", _with(usage=lambda event: None)),
    Break(
        "events.values",
        "usage in doubles",
        "events.values/usage",
        _with(
            usage=lambda event: (
                event["usage"] and {n: float(v) for n, v in event["usage"].items() if n != "details"}
            )
        ),
    ),
    Break("events.values", "sleeps do not count", TRIES, sleeps_are_not_counted),
    Break("events.values", "the first try's", TRIES, request_of_the_first_try),
    Break("events.times", "t_first with t_last", STREAM, _with(t_first=lambda event: event["t_last"])),
    Break("events.times", "t_last at the end", STREAM, _with(t_last=lambda event: event["t_queue"])),
    Break("events.times", "t_last with t_first", STREAM, _with(t_last=lambda event: event["t_first"])),
    Break("events.times", "t_first with t_request", STREAM, _with(t_first=lambda event: event["t_request"])),
    Break("events.times", "t_exit too early", VERIFIER, _stamped_by_verifier(exit_is_the_start)),
    Break("events.times", "t_spawn too late", VERIFIER, _stamped_by_verifier(spawn_is_the_exit)),
    Break("events.times", "t_queue too late", VERIFIER, _stamped_by_verifier(queue_is_the_spawn)),
    Break("events.times", "t_spawn too early", VERIFIER, _stamped_by_verifier(spawn_is_the_queue)),
    Break(
        "events.times", "t_begin of the task", "events.times/one attempt after another", begins_with_the_task
    ),
    Break("events.flushed", "at the end", "events.flushed/while the run goes on", written_at_the_end),
    Break("events.flushed", "with the next", "events.flushed/while the run goes on", written_with_the_next),
    Break("events.flushed", "lost by kill -9", "events.flushed/kill -9", written_at_the_end),
]
