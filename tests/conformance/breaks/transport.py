"""Breaks of the tries of a completion, and of what is waited for between and within them."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from breaks.declare import Break


def _settings(**changed: Callable[[Any], Any]) -> None:
    """Change the fields of `timeouts` or `transport` that every Chat is given."""
    from agentloop.chat import Chat

    init = Chat.__init__

    def with_others(self: Any, *arguments: Any, **named: Any) -> None:
        for name, change in changed.items():
            named[name] = change(named[name])
        init(self, *arguments, **named)

    Chat.__init__ = with_others  # type: ignore[method-assign]


def _tries(around: Callable[[Any, Any, bytes, Any, Any], Any]) -> None:
    """Put `around(ORIGINAL, CHAT, BODY, ATTEMPT, TOTAL)` in the place of every try."""
    from agentloop.chat import Chat

    original = Chat._try_once
    Chat._try_once = (  # type: ignore[method-assign]
        lambda self, body, attempt, total: around(original, self, body, attempt, total)
    )


def _pauses(pause_s: Callable[[float, float, int], float]) -> None:
    """Sleep `pause_s(BASE, CAP, FAILURES BEFORE)` between tries."""
    from agentloop import chat

    chat.backoff_s = lambda transport, before: pause_s(transport.base_s, transport.cap_s, before)


def _retry_after(asked_s: Callable[[Callable[[str], float], str], float]) -> None:
    from agentloop import answer

    original = answer.retry_after_s
    answer.retry_after_s = lambda value: asked_s(original, value)


def _again_after(*statuses: int) -> Callable[[], None]:
    def apply() -> None:
        from agentloop import answer

        answer.RETRYABLE_STATUSES = frozenset(statuses)

    return apply


def completion_whatever_the_status() -> None:
    from agentloop.answer import Answer

    head = Answer.head
    Answer.head = lambda self, status, headers: head(  # type: ignore[method-assign]
        self, 200 if headers.get(b"content-type") == b"text/event-stream" else status, headers
    )


def refusals_have_no_idle_limit() -> None:
    from agentloop.answer import Answer

    check = Answer._idle_check
    Answer._idle_check = (  # type: ignore[method-assign]
        lambda self: None if self._refusal is not None else check(self)
    )


def lost_is_final() -> None:
    from agentloop.answer import Answer, TryFailed

    Answer.lost = (  # type: ignore[method-assign]
        lambda self, reason: self._fail(TryFailed(reason, retryable=False))
    )


def refused_is_final() -> None:
    from agentloop.answer import TryFailed
    from agentloop.chat import Chat

    connect = Chat._connect

    async def connect_once(self: Any) -> Any:
        try:
            return await connect(self)
        except TryFailed as failure:
            failure.retryable = False
            raise

    Chat._connect = connect_once  # type: ignore[method-assign]


def connects_for_ever() -> None:
    _settings(timeouts=lambda timeouts: replace(timeouts, connect_s=1000))


def stamps_what_is_not_sent() -> None:
    async def stamped(original: Any, chat: Any, body: bytes, attempt: Any, total: Any) -> Any:
        try:
            return await original(chat, body, attempt, total)
        finally:
            attempt.t_request = attempt.t_request or attempt.t_begin

    _tries(stamped)


def sends_again_by_itself() -> None:
    from agentloop.answer import TryFailed

    async def twice(original: Any, chat: Any, body: bytes, attempt: Any, total: Any) -> Any:
        is_used_again = bool(chat._idle)
        try:
            return await original(chat, body, attempt, total)
        except TryFailed:
            if not is_used_again:
                raise
            return await original(chat, body, attempt, total)

    _tries(twice)


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


def completion_is_kept() -> None:
    _kept_of_every_try("_completion")


def half_an_event_is_kept() -> None:
    _kept_of_every_try("_events")


def _kept_of_every_try(name: str) -> None:
    from agentloop.answer import Answer

    kept: dict[str, Any] = {}
    init = Answer.__init__

    def shared(self: Any, attempt: Any, event_idle_s: float) -> None:
        init(self, attempt, event_idle_s)
        setattr(self, name, kept.setdefault(f"{attempt.task}, {attempt.attempt}", getattr(self, name)))

    Answer.__init__ = shared  # type: ignore[method-assign]


def usage_is_kept() -> None:
    from agentloop.completion import Completion

    kept: list[Any] = []
    add = Completion.add

    def remembered(self: Any, data: str) -> None:
        add(self, data)
        if self.usage is not None:
            kept.append(self.usage)
        elif kept and self.ended:
            self.usage = kept[-1]

    Completion.add = remembered  # type: ignore[method-assign]


def tries_are_numbered() -> None:
    _tries(
        lambda original, chat, body, attempt, total: original(
            chat, body + b" " * attempt.transport_retries, attempt, total
        )
    )


def one_try_more() -> None:
    _settings(transport=lambda transport: replace(transport, max_retries=transport.max_retries + 1))


def none_is_three() -> None:
    _settings(transport=lambda transport: replace(transport, max_retries=transport.max_retries or 3))


def resets_do_not_count() -> None:
    from agentloop.answer import TryFailed

    async def forgiven(original: Any, chat: Any, body: bytes, attempt: Any, total: Any) -> Any:
        try:
            return await original(chat, body, attempt, total)
        except TryFailed as failure:
            if "connection" in str(failure):
                attempt.transport_retries -= 1
            raise

    _tries(forgiven)


def tries_of_the_task() -> None:
    from agentloop.events import Attempt

    following = Attempt.following

    def go_on(self: Any) -> Any:
        attempt = following(self)
        attempt.transport_retries = self.transport_retries
        return attempt

    Attempt.following = go_on  # type: ignore[method-assign]


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

    _tries(anew)


def no_total() -> None:
    _settings(timeouts=lambda timeouts: replace(timeouts, total_s=1000))


def total_to_the_end() -> None:
    class Fixed:
        def reschedule(self, when: float | None) -> None:
            pass

    _tries(lambda original, chat, body, attempt, total: original(chat, body, attempt, Fixed()))


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


def closed_is_found_out_too_late() -> None:
    from agentloop.answer import TryFailed
    from agentloop.chat import Chat
    from agentloop.connection import Connection

    closed: list[Any] = []
    lost, quiet = Connection.connection_lost, Chat._quiet_connection

    def noted(self: Any, exc: Exception | None) -> None:
        if self in self._idle:
            closed.append(self)
        lost(self, exc)

    def not_looked_at(self: Any) -> Any:
        if closed:
            closed.clear()
            raise TryFailed("the endpoint closed the connection")
        return quiet(self)

    Connection.connection_lost = noted  # type: ignore[method-assign]
    Chat._quiet_connection = not_looked_at  # type: ignore[method-assign]


def what_follows_is_passed_over() -> None:
    """Whether it comes with the end of the response or after it."""
    from agentloop.connection import Connection

    updated = Connection.buffer_updated
    Connection.buffer_updated = (  # type: ignore[method-assign]
        lambda self, nbytes: updated(self, nbytes) if self._awaiting_response else None
    )
    complete = Connection.on_message_complete

    def first_alone(self: Any) -> None:
        if self._awaiting_response:
            complete(self)

    Connection.on_message_begin = lambda self: setattr(self, "_headers", {})  # type: ignore[method-assign]
    Connection.on_message_complete = first_alone  # type: ignore[method-assign]


ALL_5XX = range(500, 600)

BREAKS = [
    Break("transport.statuses", "not 408", "transport.statuses/each status", _again_after(429, *ALL_5XX)),
    Break(
        "transport.statuses",
        "known 5xx alone",
        "transport.statuses/each status",
        _again_after(408, 429, 500, 502, 503, 504),
    ),
    Break(
        "transport.statuses",
        "completion whatever the status",
        "transport.statuses/500 with a whole completion as its body",
        completion_whatever_the_status,
    ),
    Break(
        "transport.statuses",
        "no idle limit",
        "transport.statuses/503 with a body that does not end",
        refusals_have_no_idle_limit,
    ),
    Break("transport.final", "any status", "transport.final/each status", _again_after(*range(200, 600))),
    Break("transport.final", "409 too", "transport.final/each status", _again_after(409, 408, 429, *ALL_5XX)),
    *(
        Break("transport.connection", f"final when {name}", f"transport.connection/{name}", lost_is_final)
        for name in (
            "reset before the head",
            "closed in the head",
            "reset in the stream",
            "closed in a chunk",
        )
    ),
    Break("transport.connection", "final when refused", "transport.connection/refused", refused_is_final),
    Break(
        "transport.connection", "final at first", "transport.connection/refused at first", refused_is_final
    ),
    Break(
        "transport.connection",
        "t_request of nothing",
        "transport.connection/refused",
        stamps_what_is_not_sent,
    ),
    Break(
        "transport.connection",
        "no connect_s",
        "transport.connection/no answer to the connection",
        connects_for_ever,
    ),
    Break(
        "transport.connection",
        "sent again in silence",
        "transport.connection/a kept connection reset under a request",
        sends_again_by_itself,
    ),
    *(
        Break("transport.idle", f"bytes count: {name}", f"transport.idle/{name}", everything_is_an_event)
        for name in ("comments after some content", "events without data", "a line without end")
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
    Break("transport.fresh", "text kept", "transport.fresh/partial text is dropped", completion_is_kept),
    Break(
        "transport.fresh",
        "half an event kept",
        "transport.fresh/partial text is dropped",
        half_an_event_is_kept,
    ),
    Break("transport.fresh", "usage kept", "transport.fresh/partial text is dropped", usage_is_kept),
    Break(
        "transport.fresh",
        "another body",
        "transport.fresh/every try is the same request",
        tries_are_numbered,
    ),
    Break("transport.bound", "one more", "transport.bound/every kind of failure counts", one_try_more),
    Break(
        "transport.bound",
        "resets are free",
        "transport.bound/every kind of failure counts",
        resets_do_not_count,
    ),
    Break("transport.bound", "0 is the default", "transport.bound/no retries", none_is_three),
    Break(
        "transport.bound", "of the task", "transport.bound/every completion has its own", tries_of_the_task
    ),
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
    *(
        Break("transport.reuse", f"too late: {name}", f"transport.reuse/{name}", closed_is_found_out_too_late)
        for name in ("closed between two requests", "reset between two requests")
    ),
    *(
        Break(
            "transport.reuse", f"passed over: {name}", f"transport.reuse/{name}", what_follows_is_passed_over
        )
        for name in (
            "rubbish on the idle connection",
            "a second response on the idle connection",
            "a body longer than its Content-Length",
        )
    ),
]
