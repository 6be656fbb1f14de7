"""One request and its response."""

from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from time import monotonic_ns
from typing import Protocol

from agentdyno.endpoint.api import ApiError
from agentdyno.endpoint.journal import Record
from agentdyno.endpoint.said import one_line


@dataclass(slots=True)
class Request:
    """One HTTP request. `refusal` is the error that it gets, if it is a bad request."""

    method: str = ""
    target: str = ""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    t_arrive: int = 0
    keep_alive: bool = False
    refusal: ApiError | None = None

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


class Wire(Protocol):
    """What an exchange needs of its connection."""

    unsent: bool
    """Whether the kernel has not yet taken all that was written."""

    def write(self, data: bytes, /) -> None:
        """Send now."""

    def answered(self, request: Request, /) -> None:
        """The response to `request` has left completely."""

    def break_off(self) -> None:
        """Close in the middle of a response."""


class Service(Protocol):
    """What an exchange needs of its server."""

    def route(self, exchange: "Exchange", /) -> None:
        """Answer the request, now or later; raises `ApiError`."""

    def ended(self, exchange: "Exchange", /) -> None:
        """The exchange is over: count it and journal its record."""


class Exchange:
    """One request and its response."""

    __slots__ = ("_complete", "_server", "connection", "on_abandoned", "over", "record", "request")

    def __init__(self, server: Service, connection: Wire, request: Request, record: Record) -> None:
        self._server = server
        self._complete = False
        self.connection = connection
        self.request = request
        self.record = record
        self.over = False
        self.on_abandoned: Callable[[], object] | None = None
        """Called when the client has disconnected before the response was complete."""

    def begin(self) -> None:
        """Have the request answered."""
        try:
            self._server.route(self)
        except ApiError as error:
            self.refuse(error)

    def refuse(self, error: ApiError) -> None:
        """Respond with an error object."""
        self.record.error = error.code
        self.record.said = one_line(str(error))
        allow = f"Allow: {error.allow}\r\n" if error.allow else ""
        self.respond(error.status, error.body(), allow.encode())

    def respond(
        self, status: int, body: bytes, extra: bytes = b"", *, due_ns: int | None = None, finish: str = "stop"
    ) -> None:
        """Send a whole JSON response, whose due time was `due_ns` if it had one."""
        self.record.status = status
        head = b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b%b\r\n" % (
            status,
            HTTPStatus(status).phrase.encode(),
            len(body),
            extra,
            self.closing_header(),
        )
        self.write(head + body if self.request.method != "HEAD" else head, due_ns)
        self.complete(finish if status < 400 else "error")

    def closing_header(self) -> bytes:
        """The header field that says that the connection will close, if it will."""
        return b"" if self.request.keep_alive else b"Connection: close\r\n"

    def write(self, data: bytes, due_ns: int | None) -> None:
        """Send a chunk, whose due time was `due_ns` if it had one, and note when it left."""
        if self.over:
            return
        began = monotonic_ns()
        self.connection.write(data)
        # If the write reset the connection, a part of the chunk has left all the same.
        self.record.sent(due_ns, began)

    def complete(self, finish: str) -> None:
        """All of the response is written; the exchange is over when the kernel has taken all of it."""
        if self.over:
            return
        self.record.finish = finish
        if finish != "error":
            self.record.served, self.record.t_finish = True, self.record.t_last
        self._complete = True
        if not self.connection.unsent:
            self._end()
            self.connection.answered(self.request)

    def drained(self) -> None:
        """The kernel has taken all that was written."""
        if self._complete and not self.over:
            self.record.t_last = monotonic_ns()
            self._end()
            self.connection.answered(self.request)

    def abandon(self, finish: str) -> None:
        """The client does not get the rest of the response; `finish` is the reason, as in the journal."""
        if self.over:
            return
        self.record.finish = finish
        self.record.served, self.record.t_finish = False, None
        self.record.completion_tokens = None
        if finish in ("client_gone", "client_slow"):
            self.record.t_gone = monotonic_ns()
        self._end()
        if self.on_abandoned is not None:
            self.on_abandoned()

    def break_off(self, code: str) -> None:
        """Close the connection in the middle of the response, so that the client notices."""
        if not self.over:
            self.record.error = code
            self.abandon("error")
            self.connection.break_off()

    def _end(self) -> None:
        self.over = True
        self._server.ended(self)
