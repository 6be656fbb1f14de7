"""The server: connections, requests in flight, and the backend that answers them."""

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from time import monotonic_ns
from typing import Protocol

from agentdyno.endpoint.api import ApiError
from agentdyno.endpoint.connection import TIMEOUTS_S, Connection, Wait
from agentdyno.endpoint.exchange import Exchange, Request
from agentdyno.endpoint.journal import Journal, Record
from agentdyno.endpoint.simulation import Schedule
from agentdyno.errors import UserError

COMPLETIONS = "/v1/chat/completions"
MODELS = "/v1/models"
HEALTH = "/health"

_METHODS = {COMPLETIONS: "POST", MODELS: "GET", HEALTH: "GET"}
_BACKLOG = 16_384
_TIMEOUT_CHECK_S = 0.25
_BATCH = 4
"""After this many arrivals the loop reads its sockets, so that the next arrivals get their times."""


class Backend(Protocol):
    """What answers the requests: a simulation or a relay."""

    def complete(self, exchange: Exchange) -> None:
        """Answer a request for a chat completion, now or later. May raise `ApiError`."""

    def models(self, exchange: Exchange) -> None:
        """Answer a request for the list of models."""


class Server:
    """Accepts connections, passes each request to `backend`, counts requests and journals them."""

    def __init__(
        self,
        backend: Backend,
        schedule: Schedule,
        journal: Journal,
        timeouts_s: Mapping[Wait, float] = TIMEOUTS_S,
    ) -> None:
        self.requests = 0
        self.completed = 0
        self.in_flight = 0
        self.max_in_flight = 0
        self._quiet_until = 0
        """Until then clients were asked to wait, in ns of CLOCK_MONOTONIC."""
        self._backend = backend
        self._timeouts_s = timeouts_s
        self._schedule = schedule
        self._journal = journal
        self._loop = asyncio.get_running_loop()
        self._connections: set[Connection] = set()
        self._watched: dict[tuple[Connection, Wait], int] = {}
        self._inbox: deque[tuple[Connection, bytes, int]] = deque()
        self._listener: asyncio.Server | None = None
        self._timeout_timer: asyncio.Handle | None = None

    async def listen(self, host: str, port: int) -> str:
        """Start listening; returns the base URL, with its `/v1`. Raises `UserError` if that is impossible."""
        try:
            self._listener = await self._loop.create_server(
                lambda: Connection(self), host, port, backlog=_BACKLOG, reuse_address=True
            )
        except OSError as error:
            why = error.strerror or error
            raise UserError(
                f"cannot listen on {host} port {port}: {why}; choose another --host or --port"
            ) from None
        self._check_timeouts()
        bound = self._listener.sockets[0].getsockname()[1]
        return f"http://{f'[{host}]' if ':' in host else host}:{bound}/v1"

    def close(self) -> None:
        """Stop listening and close every connection; exchanges in flight end as errors."""
        if self._listener is not None:
            self._listener.close()
        if self._timeout_timer is not None:
            self._timeout_timer.cancel()
        for connection in list(self._connections):
            connection.shut_down()

    # What connections call.

    def opened(self, connection: Connection) -> None:
        """A client has connected."""
        self._connections.add(connection)

    def closed(self, connection: Connection) -> None:
        """A connection has ended."""
        self._connections.discard(connection)
        for wait in Wait:
            self.unwatch(connection, wait)

    def received(self, connection: Connection, data: bytes, arrived: int) -> None:
        """Keep the bytes until the loop has read every socket that is readable now."""
        self._inbox.append((connection, data, arrived))
        if len(self._inbox) == 1:
            self._loop.call_soon(self._read_batch)

    def read_inbox(self, most: int | None = None) -> None:
        """Handle the bytes that are kept: all arrivals, or at most `most`."""
        for _ in range(len(self._inbox) if most is None else min(most, len(self._inbox))):
            connection, data, arrived = self._inbox.popleft()
            connection.feed(data, arrived)
            self._schedule.run_due()

    def watch(self, connection: Connection, wait: Wait) -> None:
        """Start the timeout of `wait` for the connection, unless it runs already."""
        until = monotonic_ns() + round(self._timeouts_s[wait] * 1e9)
        self._watched.setdefault((connection, wait), until)

    def unwatch(self, connection: Connection, wait: Wait) -> None:
        """Cancel the timeout of `wait`."""
        self._watched.pop((connection, wait), None)

    def exchange(self, connection: Connection, request: Request) -> Exchange:
        """A new exchange for `request`, counted unless it only asks for the state or the models."""
        if request.method == "GET" and request.path in (HEALTH, MODELS) and request.refusal is None:
            return Exchange(self, connection, request, Record(0, request.t_arrive, self.in_flight, b""))
        self.requests += 1
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        record = Record(self.requests, request.t_arrive, self.in_flight, request.body)
        return Exchange(self, connection, request, record)

    # What exchanges call.

    def route(self, exchange: Exchange) -> None:
        """Have the request answered by its path; raises `ApiError`."""
        request = exchange.request
        if request.refusal is not None:
            raise request.refusal
        method = _METHODS.get(request.path)
        if method is None:
            raise ApiError(404, f"Unknown path: {request.method} {request.path}.", code="unknown_url")
        if request.method != method:
            message = f"{request.path} takes {method}, not {request.method}."
            raise ApiError(405, message, code="method_not_allowed", allow=method)
        if request.path == COMPLETIONS:
            self._backend.complete(exchange)
        elif request.path == MODELS:
            self._backend.models(exchange)
        else:
            exchange.respond(200, self._health())

    def ended(self, exchange: Exchange) -> None:
        """Note the end of an exchange, if it was counted."""
        if not exchange.record.id:
            return
        self.in_flight -= 1
        quiet_until = monotonic_ns() + round(exchange.record.retry_after_s * 1e9)
        self._quiet_until = max(self._quiet_until, quiet_until)
        if exchange.record.served:
            self.completed += 1
        self._journal.add(exchange.record)

    def _read_batch(self) -> None:
        self.read_inbox(_BATCH)
        if self._inbox:
            self._loop.call_soon(self._read_batch)

    def _check_timeouts(self) -> None:
        now = monotonic_ns()
        for connection, wait in [key for key, until in self._watched.items() if until <= now]:
            self.unwatch(connection, wait)
            connection.timed_out(wait)
        self._timeout_timer = self._loop.call_later(_TIMEOUT_CHECK_S, self._check_timeouts)

    def _health(self) -> bytes:
        return json.dumps(
            {
                "status": "ok",
                "in_flight": self.in_flight,
                "max_in_flight": self.max_in_flight,
                "requests": self.requests,
                "completed": self.completed,
                "asked_to_wait_s": max(0, self._quiet_until - monotonic_ns()) / 1e9,
            }
        ).encode()
