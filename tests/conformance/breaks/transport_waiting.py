"""Breaks of what is waited for between and within tries."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from breaks.declare import Break
from breaks.transport_tries import settings, tries


def _pauses(pause_s: Callable[[float, float, int], float]) -> None:
    """Sleep `pause_s(BASE, CAP, FAILURES BEFORE)` between tries."""
    from agentloop import chat

    chat.backoff_s = lambda transport, before: pause_s(transport.base_s, transport.cap_s, before)


def _retry_after(asked_s: Callable[[Callable[[str], float], str], float]) -> None:
    from agentloop import answer

    original = answer.retry_after_s
    answer.retry_after_s = lambda value: asked_s(original, value)


def everything_is_an_event() -> None:
    from agentloop.answer import Answer

    body = Answer.body

    def counted(self: Any, piece: bytes) -> None:
        self._last_event_s = self._loop.time()
        body(self, piece)

    Answer.body = counted  # type: ignore[method-assign]


def idle_counts_from_the_request() -> None:
    from agentloop.answer import Answer

    body = Answer.body

    def not_counted(self: Any, piece: bytes) -> None:
        before_s = self._last_event_s
        body(self, piece)
        self._last_event_s = before_s

    Answer.body = not_counted  # type: ignore[method-assign]


def idle_counts_while_it_is_sent() -> None:
    from agentloop.connection import Connection

    send = Connection.send

    def begun(self: Any, request: bytes, receiver: Any) -> None:
        receiver.sent()
        send(self, request, receiver)

    Connection.send = begun  # type: ignore[method-assign]


def content_alone_is_an_event() -> None:
    from agentloop.answer import Answer

    body = Answer.body

    def counted(self: Any, piece: bytes) -> None:
        before_s = self._last_event_s
        body(self, piece)
        if b'"content"' not in piece:
            self._last_event_s = before_s

    Answer.body = counted  # type: ignore[method-assign]


def no_idle_limit() -> None:
    from agentloop.answer import Answer

    Answer._idle_check = lambda self: None  # type: ignore[method-assign]


def no_jitter() -> None:
    _pauses(lambda base_s, cap_s, before: min(cap_s, base_s * 2.0**before))


def equal_jitter() -> None:
    _pauses(lambda base_s, cap_s, before: min(cap_s, base_s * 2.0**before) * random.uniform(0.5, 1))


def same_jitter() -> None:
    drawn = random.uniform(0.1, 0.4)
    _pauses(lambda base_s, cap_s, before: min(cap_s, base_s * 2.0**before) * drawn)


def no_cap() -> None:
    _pauses(lambda base_s, cap_s, before: random.uniform(0, base_s * 2.0**before))


def no_doubling() -> None:
    _pauses(lambda base_s, cap_s, before: random.uniform(0, min(cap_s, base_s)))


def no_pauses() -> None:
    _pauses(lambda base_s, cap_s, before: 0)


def one_second_at_least() -> None:
    _pauses(lambda base_s, cap_s, before: max(1, random.uniform(0, min(cap_s, base_s * 2.0**before))))


def shifted_too_far() -> None:
    def pause_s(base_s: float, cap_s: float, before: int) -> float:
        (1 << before).to_bytes(8, signed=True)  # what a shift of 64 bits would have come to
        return random.uniform(0, min(cap_s, base_s * 2.0**before))

    _pauses(pause_s)


def retry_after_is_passed_over() -> None:
    _retry_after(lambda original, value: 0.0)


def dates_are_passed_over() -> None:
    _retry_after(lambda original, value: original(value) if value.isdigit() else 0.0)


def one_kind_of_date() -> None:
    _retry_after(lambda original, value: original(value) if value.endswith(" GMT") else 0.0)


def dates_are_local() -> None:
    from email.utils import parsedate
    from time import mktime, time

    def asked_s(original: Callable[[str], float], value: str) -> float:
        date = None if value.endswith("GMT") else parsedate(value)
        return original(value) if date is None else max(0.0, mktime(date) - time())

    _retry_after(asked_s)


def numbers_of_all_kinds() -> None:
    def asked_s(original: Callable[[str], float], value: str) -> float:
        try:
            return max(0.0, min(float(value), 1e9))
        except ValueError:
            return original(value)

    _retry_after(asked_s)


def nonsense_ends_the_run() -> None:
    _retry_after(lambda original, value: original(value) or float(int(value or 0)))


def total_of_a_try() -> None:
    def anew(original: Any, chat: Any, body: bytes, attempt: Any, total: Any) -> Any:
        total.reschedule(asyncio.get_running_loop().time() + chat._timeouts.total_s)
        return original(chat, body, attempt, total)

    tries(anew)


def no_total() -> None:
    settings(timeouts=lambda timeouts: replace(timeouts, total_s=1000))


def total_to_the_end() -> None:
    class Fixed:
        def reschedule(self, when: float | None) -> None:
            pass

    tries(lambda original, chat, body, attempt, total: original(chat, body, attempt, Fixed()))


def total_of_the_task() -> None:
    from agentloop.chat import Chat

    complete = Chat.complete

    async def in_what_is_left(self: Any, body: bytes, attempt: Any) -> str:
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        try:
            return await complete(self, body, attempt)
        finally:
            left_s = self._timeouts.total_s - (loop.time() - begun_s)
            self._timeouts = replace(self._timeouts, total_s=left_s)

    Chat.complete = in_what_is_left  # type: ignore[method-assign]


BREAKS = [
    *(
        Break("transport.idle", f"bytes count: {name}", f"transport.idle/{name}", everything_is_an_event)
        for name in ("comments after some content", "events without data", "a line without end")
    ),
    Break(
        "transport.idle",
        "from the first byte of the request",
        "transport.idle/a request that is read late",
        idle_counts_while_it_is_sent,
    ),
    Break("transport.idle", "from the request", "transport.idle/a slow stream", idle_counts_from_the_request),
    Break(
        "transport.idle",
        "too early",
        "transport.idle/nothing after some content",
        idle_counts_from_the_request,
    ),
    Break("transport.idle", "content alone", "transport.idle/a slow stream", content_alone_is_an_event),
    Break("transport.idle", "no limit", "transport.idle/a head without end", no_idle_limit),
    Break("transport.backoff", "no jitter", "transport.backoff/doubled every time", no_jitter),
    Break("transport.backoff", "equal jitter", "transport.backoff/doubled every time", equal_jitter),
    Break("transport.backoff", "same jitter for all", "transport.backoff/doubled every time", same_jitter),
    Break("transport.backoff", "no cap", "transport.backoff/base and cap", no_cap),
    Break("transport.backoff", "no doubling", "transport.backoff/doubled every time", no_doubling),
    Break("transport.backoff", "no pauses", "transport.backoff/doubled every time", no_pauses),
    Break("transport.backoff", "a second at least", "transport.backoff/none", one_second_at_least),
    Break("transport.backoff", "64 bits", "transport.backoff/seventy tries", shifted_too_far),
    Break(
        "transport.retry-after", "passed over", "transport.retry-after/seconds", retry_after_is_passed_over
    ),
    Break("transport.retry-after", "no dates", "transport.retry-after/dates", dates_are_passed_over),
    Break("transport.retry-after", "no asctime", "transport.retry-after/dates", one_kind_of_date),
    Break("transport.retry-after", "local dates", "transport.retry-after/dates", dates_are_local),
    Break(
        "transport.retry-after",
        "numbers of all kinds",
        "transport.retry-after/nonsense, and a date in the past",
        numbers_of_all_kinds,
    ),
    Break(
        "transport.retry-after",
        "nonsense ends the run",
        "transport.retry-after/nonsense, and a date in the past",
        nonsense_ends_the_run,
    ),
    Break("transport.total", "of a try", "transport.total/tries without end", total_of_a_try),
    *(
        Break("transport.total", f"none: {name}", f"transport.total/{name}", no_total)
        for name in ("Retry-After of an hour", "a stream without end", "while connecting")
    ),
    Break("transport.total", "to the end", "transport.total/not after the finish_reason", total_to_the_end),
    Break(
        "transport.total", "of the task", "transport.total/every completion has its own", total_of_the_task
    ),
]
