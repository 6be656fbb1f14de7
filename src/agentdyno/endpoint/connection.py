"""One client's HTTP/1.1 connection.

httptools parses the requests, and the server answers them in order. Every error of a client ends in an
error object or in a closed connection, and every wait for a client has a timeout.
"""

import asyncio
import socket
import struct
from collections import deque
from enum import Enum
from time import monotonic_ns
from typing import Any, Protocol

import httptools

from agentdyno.endpoint.api import ApiError
from agentdyno.endpoint.exchange import Exchange, Request

MAX_HEAD_BYTES = 64 * 1024
MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_UNSENT_BYTES = 1024 * 1024
"""The server resets a client that leaves more than this unread, on top of the kernel's buffers."""
MAX_PIPELINED = 16
_RESET = struct.pack("ii", 1, 0)
"""`struct linger` with a time of 0 (socket(7)): close resets the connection."""


class Wait(Enum):
    """What the client must do before a timeout."""

    REQUEST = "send the rest of a request"
    READING = "read what was sent"
    CLOSING = "take the answer to a bad request, and close"


TIMEOUTS_S = {Wait.REQUEST: 30.0, Wait.READING: 30.0, Wait.CLOSING: 2.0}
"""The timeout of each wait, in seconds."""


class Handler(Protocol):
    """What a connection needs of its server."""

    def opened(self, connection: "Connection", /) -> None:
        """A client has connected."""

    def closed(self, connection: "Connection", /) -> None:
        """The connection has ended."""

    def received(self, connection: "Connection", data: bytes, arrived: int, /) -> None:
        """Bytes arrived at `arrived`; the server passes them to `feed`, now or later."""

    def read_inbox(self) -> None:
        """Pass all bytes that have arrived so far to `feed` of their connections."""

    def watch(self, connection: "Connection", wait: Wait, /) -> None:
        """Start the timeout of `wait`; when it expires, the server calls `timed_out`."""

    def unwatch(self, connection: "Connection", wait: Wait, /) -> None:
        """Cancel the timeout of `wait`."""

    def exchange(self, connection: "Connection", request: Request, /) -> Exchange:
        """A new exchange for `request`, not yet begun."""


class Connection(asyncio.Protocol):
    """Reads requests, passes them to the server one at a time, and writes the responses."""

    def __init__(self, server: Handler) -> None:
        self._server = server
        self._parser: Any = httptools.HttpRequestParser(self)
        self._waiting: deque[Request] = deque()
        self._exchange: Exchange | None = None
        self._request: Request | None = None
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._head_bytes = 0
        self._in_head = True
        self._closing = False
        self._arrived = 0
        self.unsent = False
        """Whether the kernel has not yet taken all that was written, because the client does not read."""

    # What the loop calls.

    def connection_made(self, transport: Any) -> None:
        """Register with the server; have every write leave at once."""
        self.transport: asyncio.Transport = transport
        # With a high-water mark of 0, uvloop writes at once, and calls `pause_writing` if bytes are left.
        self.transport.set_write_buffer_limits(high=0)
        self._server.opened(self)

    def data_received(self, data: bytes) -> None:
        """Note the time only, so that every request of a burst gets its time before any is handled."""
        self._server.received(self, data, monotonic_ns())

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is closed, by the client or by the server."""
        self._server.read_inbox()
        self._closing = True
        if self._exchange is not None:
            self._exchange.abandon("client_gone")
        self._server.closed(self)
        # Both refer to this object; without these cycles it is freed at once.
        self._parser = None
        del self.transport

    def pause_writing(self) -> None:
        """The client reads more slowly than the server writes."""
        self.unsent = True
        self._server.watch(self, Wait.READING)

    def resume_writing(self) -> None:
        """The kernel has taken all that was written."""
        self.unsent = False
        self._server.unwatch(self, Wait.READING)
        if self._exchange is not None:
            self._exchange.drained()

    # What the server calls.

    def feed(self, data: bytes, arrived: int) -> None:
        """Parse bytes that arrived at `arrived`, and begin with a request that they complete."""
        if self._closing:
            return
        self._arrived = arrived
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if not self._closing:
                self._ignore_upgrade(data[upgrade.args[0] :], arrived)
                return
        except httptools.HttpParserError as error:
            self._refuse(ApiError(400, f"The request is not HTTP/1.1: {error}.", code="invalid_http"))
        if self._request is not None and not self._closing:
            if self._in_head:
                self._head_bytes += len(data)
                self._check_head()
            self._server.watch(self, Wait.REQUEST)
        self._next()

    def timed_out(self, wait: Wait) -> None:
        """The timeout of `wait` has expired."""
        if wait is Wait.REQUEST:
            self._refuse(ApiError(408, "The request did not arrive in time.", code="request_timeout"))
            self._next()
        else:
            self.drop()

    def drop(self) -> None:
        """Reset the connection of a client that does not read."""
        self._closing = True
        self._waiting.clear()
        if self._exchange is not None:
            self._exchange.abandon("client_slow")
        # Without a reset the kernel would keep the unread bytes long after the close.
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()

    def shut_down(self) -> None:
        """Close the connection because the server stops."""
        if self._exchange is not None:
            self._exchange.record.error = "endpoint_stopped"
            self._exchange.abandon("error")
        self.transport.abort()

    def break_off(self) -> None:
        """Close in the middle of a response."""
        self.transport.close()

    def write(self, data: bytes) -> None:
        """Send now; keep what the kernel does not take, up to `MAX_UNSENT_BYTES`."""
        self.transport.write(data)
        if self.unsent and self.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self.drop()

    def answered(self, request: Request) -> None:
        """The response to `request` is complete: close, or begin with the next request."""
        self._exchange = None
        if request.refusal is not None:
            self._close_when_read()
        elif not request.keep_alive:
            self._closing = True
            self._waiting.clear()
            self.transport.close()
        else:
            self._next()

    def _next(self) -> None:
        if self._exchange is None and self._waiting:
            self._exchange = self._server.exchange(self, self._waiting.popleft())
            self._exchange.begin()

    def _ignore_upgrade(self, rest: bytes, arrived: int) -> None:
        # A client may offer another protocol, as Java's does in its first request. The server stays with
        # HTTP/1.1, but the parser now expects the other protocol: it gets the head again, without the offer.
        request = self._request
        if request is None:
            return
        headers = [
            b"%b: %b\r\n" % (name, value)
            for name, value in request.headers
            if name.lower() not in (b"upgrade", b"connection", b"http2-settings")
        ]
        line = f"{request.method} {request.target} HTTP/1.1\r\n".encode("latin-1")
        self._parser = httptools.HttpRequestParser(self)
        self.feed(line + b"".join(headers) + b"\r\n" + rest, arrived)

    def _refuse(self, refusal: ApiError) -> None:
        if self._closing:
            return
        self._closing = True
        request = self._request or Request()
        request.refusal = refusal
        request.t_arrive = self._arrived
        request.keep_alive = False
        self._waiting.append(request)

    def _close_when_read(self) -> None:
        # A close while the client still sends would reset the connection, and the answer could be lost.
        self.transport.write_eof()
        self._server.watch(self, Wait.CLOSING)

    # What httptools calls.

    def on_message_begin(self) -> None:
        """A request begins."""
        self._request = Request()
        self._in_head = True
        self._head_bytes = 0
        self._body = []
        self._body_bytes = 0

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        if self._request is not None:
            self._request.target += url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header field."""
        if self._request is not None:
            self._request.headers.append((name, value))
            self._head_bytes += len(name) + len(value)

    def on_headers_complete(self) -> None:
        """The head is complete; refuse a bad request before its body arrives."""
        request = self._request
        if request is None or self._closing:
            return
        self._in_head = False
        request.method = self._parser.get_method().decode()
        request.keep_alive = self._parser.should_keep_alive()
        self._check_head()
        if request.method == "CONNECT":
            self._refuse(ApiError(405, "This is not a tunnel.", code="method_not_allowed", allow="GET, POST"))
        if self._parser.get_http_version() != "1.1":
            self._refuse(ApiError(505, "Only HTTP/1.1 is spoken here.", code="http_version_not_supported"))
        headers = {name.lower(): value for name, value in request.headers}
        if int(headers.get(b"content-length", b"0")) > MAX_BODY_BYTES:
            self._refuse_body()
        elif headers.get(b"expect", b"").lower() == b"100-continue" and not (self._closing or self._exchange):
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._body_bytes += len(body)
        if self._body_bytes > MAX_BODY_BYTES:
            self._refuse_body()
        elif not self._closing:
            self._body.append(body)

    def on_message_complete(self) -> None:
        """The request is complete."""
        request = self._request
        if request is None or self._closing or self._parser.should_upgrade():
            return
        request.body = b"".join(self._body)
        request.t_arrive = self._arrived
        self._request = None
        self._body = []
        self._server.unwatch(self, Wait.REQUEST)
        if len(self._waiting) >= MAX_PIPELINED:
            self._refuse(ApiError(400, "Too many requests are pipelined.", code="too_many_pipelined"))
        else:
            self._waiting.append(request)

    def _check_head(self) -> None:
        if self._head_bytes > MAX_HEAD_BYTES:
            message = f"The head of the request is larger than {MAX_HEAD_BYTES} bytes."
            self._refuse(ApiError(431, message, code="header_too_large"))

    def _refuse_body(self) -> None:
        message = f"The body is larger than {MAX_BODY_BYTES} bytes."
        self._refuse(ApiError(413, message, code="request_too_large"))
