"""The server: connections, requests in flight, and who answers them."""

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from time import monotonic_ns
from typing import Protocol

from agentdyno.endpoint.api import ApiError
from agentdyno.endpoint.connection import PATIENCE_S, Connection, Wait
from agentdyno.endpoint.exchange import Exchange, Request
from agentdyno.endpoint.journal import Journal, Record
from agentdyno.endpoint.schedule import Schedule
from agentdyno.errors import UserError

COMPLETIONS = "/v1/chat/completions"
MODELS = "/v1/models"
HEALTH = "/health"

_METHODS = {COMPLETIONS: "POST", MODELS: "GET", HEALTH: "GET"}
_BACKLOG = 16_384
_LOOK_AFTER_CLIENTS_S = 0.25
_HELPING = 4
"""How many arrivals are worked on before the sockets are looked at again, for the next ones to be stamped."""


class Answers(Protocol):
    """Where completions come from."""

    def complete(self, exchange: Exchange) -> None:
        """Answer a request for a chat completion, now or later. May raise `ApiError`."""

    def models(self, exchange: Exchange) -> None:
        """Answer a request for the list of models."""


class Server:
    """Accepts connections and gives each request to `answers`; counts and journals what goes on."""

    def __init__(
        self,
        answers: Answers,
        schedule: Schedule,
        journal: Journal,
        patience_s: Mapping[Wait, float] = PATIENCE_S,
    ) -> None:
        self.requests = 0
        self.completed = 0
        self.in_flight = 0
        self.max_in_flight = 0
        self._answers = answers
        self._patience_s = patience_s
        self._schedule = schedule
        self._journal = journal
        self._loop = asyncio.get_running_loop()
        self._connections: set[Connection] = set()
        self._watched: dict[tuple[Connection, Wait], int] = {}
        self._inbox: deque[tuple[Connection, bytes, int]] = deque()
        self._listener: asyncio.Server | None = None
        self._watch_timer: asyncio.Handle | None = None

    async def listen(self, host: str, port: int) -> str:
        """Start; returns the base URL, with its `/v1`. Raises `UserError` when the address cannot be had."""
        try:
            self._listener = await self._loop.create_server(
                lambda: Connection(self), host, port, backlog=_BACKLOG, reuse_address=True
            )
        except OSError as error:
            why = error.strerror or error
            raise UserError(
                f"cannot listen on {host} port {port}: {why}; choose another --host or --port"
            ) from None
        self._look_after_clients()
        bound = self._listener.sockets[0].getsockname()[1]
        return f"http://{f'[{host}]' if ':' in host else host}:{bound}/v1"

    def close(self) -> None:
        """Stop listening and cut every connection; exchanges under way end as errors."""
        if self._listener is not None:
            self._listener.close()
        if self._watch_timer is not None:
            self._watch_timer.cancel()
        for connection in list(self._connections):
            connection.shut_down()

    # What connections call.

    def opened(self, connection: Connection) -> None:
        """A client has connected."""
        self._connections.add(connection)

    def closed(self, connection: Connection) -> None:
        """A connection is no more."""
        self._connections.discard(connection)
        for wait in Wait:
            self.unwatch(connection, wait)

    def received(self, connection: Connection, data: bytes, arrived: int) -> None:
        """Put bytes aside until every socket that is readable now has been read."""
        self._inbox.append((connection, data, arrived))
        if len(self._inbox) == 1:
            self._loop.call_soon(self._read_helping)

    def read_inbox(self, most: int | None = None) -> None:
        """Work on the bytes put aside, all or the first so many."""
        for _ in range(len(self._inbox) if most is None else min(most, len(self._inbox))):
            connection, data, arrived = self._inbox.popleft()
            connection.feed(data, arrived)
            self._schedule.run_due()

    def watch(self, connection: Connection, wait: Wait) -> None:
        """Have the connection time out, unless it is being waited for already."""
        until = monotonic_ns() + round(self._patience_s[wait] * 1e9)
        self._watched.setdefault((connection, wait), until)

    def unwatch(self, connection: Connection, wait: Wait) -> None:
        """The client did what was waited for."""
        self._watched.pop((connection, wait), None)

    def exchange(self, connection: Connection, request: Request) -> Exchange:
        """Begin with a request, and count it in unless it only asks how things are."""
        if request.method == "GET" and request.path in (HEALTH, MODELS) and request.refusal is None:
            return Exchange(self, connection, request, Record(0, request.t_arrive, self.in_flight, b""))
        self.requests += 1
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        record = Record(self.requests, request.t_arrive, self.in_flight, request.body)
        return Exchange(self, connection, request, record)

    # What exchanges call.

    def route(self, exchange: Exchange) -> None:
        """Have the request answered by whoever is in charge of its path; raises `ApiError`."""
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
            self._answers.complete(exchange)
        elif request.path == MODELS:
            self._answers.models(exchange)
        else:
            exchange.respond(200, self._health())

    def ended(self, exchange: Exchange) -> None:
        """Count a request out, if it was counted in."""
        if not exchange.record.id:
            return
        self.in_flight -= 1
        if exchange.record.finish not in ("error", "client_gone", "client_slow"):
            self.completed += 1
        self._journal.add(exchange.record)

    def _read_helping(self) -> None:
        self.read_inbox(_HELPING)
        if self._inbox:
            self._loop.call_soon(self._read_helping)

    def _look_after_clients(self) -> None:
        now = monotonic_ns()
        for connection, wait in [key for key, until in self._watched.items() if until <= now]:
            self.unwatch(connection, wait)
            connection.timed_out(wait)
        self._watch_timer = self._loop.call_later(_LOOK_AFTER_CLIENTS_S, self._look_after_clients)

    def _health(self) -> bytes:
        return json.dumps(
            {
                "status": "ok",
                "in_flight": self.in_flight,
                "max_in_flight": self.max_in_flight,
                "requests": self.requests,
                "completed": self.completed,
            }
        ).encode()
