"""HTTP/1.1 to one endpoint: connections that each carry one request at a time and are used again."""

import asyncio
import select
from typing import Protocol, cast

import httptools

# How long to wait for the end of a body whose stream is complete, before the connection is closed.
CLOSE_GRACE_S = 1.0

# How much of a request is handed over at once, so that of a large one little waits twice.
_PIECE_BYTES = 256 * 1024
_NOTHING = memoryview(b"")


def receive_buffer() -> memoryview:
    """Make a buffer for all connections of one event loop, which fills it and hands it over in one step."""
    return memoryview(bytearray(64 * 1024))


class Receiver(Protocol):
    """What becomes of a request and its response."""

    def sent(self) -> None:
        """The request is on its way, to its last byte."""

    def head(self, status: int, headers: dict[bytes, bytes]) -> None:
        """The status and the headers, by lower-case name, are there."""

    def body(self, piece: bytes) -> None:
        """A piece of the body is there."""

    def end(self) -> None:
        """The body is complete."""

    def lost(self, reason: str) -> None:
        """The connection ended, or held something that is not HTTP, before the body was complete."""

    def fault(self, error: BaseException) -> None:
        """A method of this receiver, or the connection itself, raised: no fault of the endpoint."""


class Connection(asyncio.BufferedProtocol):
    """One connection, that puts itself among the idle ones when it may be used again."""

    def __init__(self, idle: "dict[Connection, None]", received: memoryview) -> None:
        """Carry nothing yet; `idle`, a set that keeps its order, and the buffer are shared by connections."""
        self._idle = idle
        self._received = received
        self._parser = httptools.HttpResponseParser(self)
        self._receiver: Receiver | None = None
        self._headers: dict[bytes, bytes] = {}
        self._awaiting_response = False
        self._unsent = _NOTHING
        self._may_write = True

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
        self._unsent = memoryview(request)
        self._send_on()

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

    def _send_on(self) -> None:
        while self._unsent and self._may_write and not self._transport.is_closing():
            piece, self._unsent = self._unsent[:_PIECE_BYTES], self._unsent[_PIECE_BYTES:] or _NOTHING
            self._transport.write(piece)
        if self._is_sent and self._receiver is not None:
            self._receiver.sent()

    @property
    def _is_sent(self) -> bool:
        return not self._unsent and self._may_write

    def _abort_if_awaiting(self) -> None:
        if self._awaiting_response and self._receiver is None:
            self.close()

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: D102
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own kind is no subclass of it
        # Writing is paused until the kernel has taken all. With high=0, TLS would pause before it writes.
        self._transport.set_write_buffer_limits(high=1, low=0)

    def pause_writing(self) -> None:  # noqa: D102
        self._may_write = False

    def resume_writing(self) -> None:  # noqa: D102
        self._may_write = True
        self._send_on()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: D102
        return self._received

    def buffer_updated(self, nbytes: int) -> None:  # noqa: D102
        if not self._awaiting_response:
            self.close()
            return
        try:
            self._parser.feed_data(self._received[:nbytes])
        except httptools.HttpParserCallbackError as failure:
            self.close()
            fault = failure.__context__ or failure
            if self._receiver is None:
                raise fault from None
            self._receiver.fault(fault)
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
        if self._awaiting_response and self._is_sent and self._parser.should_keep_alive():
            self._idle[self] = None
        else:
            self.close()
        self._awaiting_response = False
        if self._receiver is not None:
            self._receiver.end()
            self._receiver = None

    def _is_interim(self) -> bool:
        return bool(100 <= self._parser.get_status_code() < 200)
