"""HTTP/1.1 to one endpoint: connections that each carry one request at a time and are used again."""

import asyncio
import select
from typing import Protocol, cast

import httptools

# How long to wait for the end of a body whose stream is complete, before the connection is closed.
CLOSE_GRACE_S = 1.0

# One buffer for all connections: the event loop fills it and hands it over in one step.
_RECEIVED = memoryview(bytearray(64 * 1024))


class Receiver(Protocol):
    """What becomes of a response; no method may raise."""

    def head(self, status: int, headers: dict[bytes, bytes]) -> None:
        """The status and the headers, by lower-case name, are there."""

    def body(self, piece: bytes) -> None:
        """A piece of the body is there."""

    def end(self) -> None:
        """The body is complete."""

    def lost(self, reason: str) -> None:
        """The connection ended, or held something that is not HTTP, before the body was complete."""


class Connection(asyncio.BufferedProtocol):
    """One connection, that puts itself among the idle ones when it may be used again."""

    def __init__(self, idle: "dict[Connection, None]") -> None:
        """Carry nothing yet; `idle`, a set that keeps its order, is shared by all connections."""
        self._idle = idle
        self._parser = httptools.HttpResponseParser(self)
        self._receiver: Receiver | None = None
        self._headers: dict[bytes, bytes] = {}
        self._awaiting_response = False

    def is_quiet(self) -> bool:
        """Whether the endpoint has neither closed the connection nor sent more than its last response."""
        if self._transport.is_closing():
            return False
        # The event loop may not have come to read yet what is there already.
        unread = select.poll()
        unread.register(self._transport.get_extra_info("socket"), select.POLLIN)
        return not unread.poll(0)

    def send(self, request: bytes, receiver: Receiver) -> None:
        """Send a request, whose response goes to `receiver`."""
        self._receiver = receiver
        self._awaiting_response = True
        self._transport.write(request)

    def leave(self, receiver: Receiver, *, complete: bool) -> None:
        """Send `receiver` no more; what is `complete` but for its framing may still free the connection."""
        if self._receiver is not receiver:
            return  # The response is over, and the connection may be another's already.
        self._receiver = None
        if self._awaiting_response and complete:
            asyncio.get_running_loop().call_later(CLOSE_GRACE_S, self._abort_if_awaiting)
        else:
            self._abort_if_awaiting()

    def close(self) -> None:
        """Close the connection at once."""
        self._transport.abort()

    def _abort_if_awaiting(self) -> None:
        if self._awaiting_response and self._receiver is None:
            self.close()

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: D102
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own kind is no subclass of it

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: D102
        return _RECEIVED

    def buffer_updated(self, nbytes: int) -> None:  # noqa: D102
        if not self._awaiting_response:
            self.close()
            return
        try:
            self._parser.feed_data(_RECEIVED[:nbytes])
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as failure:
            self._lose(f"the endpoint does not speak HTTP/1.1 ({failure})")
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: D102
        self._idle.pop(self, None)
        self._lose(f"the connection broke ({exc})" if exc else "the endpoint closed the connection")
        del self._parser  # The parser and its protocol hold each other.

    def _lose(self, reason: str) -> None:
        if self._receiver is not None:
            self._receiver.lost(reason)

    # Called by the parser.

    def on_message_begin(self) -> None:  # noqa: D102
        if not self._awaiting_response:
            self.close()
        self._headers = {}

    def on_header(self, name: bytes, value: bytes) -> None:  # noqa: D102
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:  # noqa: D102
        if self._receiver is not None and not self._is_interim():
            self._receiver.head(self._parser.get_status_code(), self._headers)

    def on_body(self, piece: bytes) -> None:  # noqa: D102
        if self._receiver is not None:
            self._receiver.body(piece)

    def on_message_complete(self) -> None:  # noqa: D102
        if self._is_interim():
            return
        if self._awaiting_response and self._parser.should_keep_alive():
            self._idle[self] = None
        else:
            self.close()
        self._awaiting_response = False
        if self._receiver is not None:
            receiver, self._receiver = self._receiver, None
            receiver.end()

    def _is_interim(self) -> bool:
        return bool(100 <= self._parser.get_status_code() < 200)
