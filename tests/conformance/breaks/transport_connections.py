"""Breaks of how connections are made, lost and used again."""

from dataclasses import replace
from typing import Any

from breaks.declare import Break
from breaks.transport_tries import settings, tries


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
    settings(timeouts=lambda timeouts: replace(timeouts, connect_s=1000))


def stamps_what_is_not_sent() -> None:
    async def stamped(original: Any, chat: Any, body: bytes, attempt: Any, total: Any) -> Any:
        try:
            return await original(chat, body, attempt, total)
        finally:
            attempt.t_request = attempt.t_request or attempt.t_begin

    tries(stamped)


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

    tries(twice)


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


BREAKS = [
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
