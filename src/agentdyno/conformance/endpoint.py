"""An endpoint that says exactly the bytes it is told, and keeps all that it is sent."""

import asyncio
import contextlib
import hashlib
import json
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from agentdyno.conformance import wire

Answer = Callable[["Exchange"], Awaitable[None]]
"""Answers one request. Whatever has not been ended when it returns is left open for the next request."""

Accept = Callable[[int], bool]
"""Whether a connection is served, by its number from 1; one that is not is broken (RST)."""


RECEIVED_BYTES = 2**17
"""What the kernel keeps for an endpoint that reads late."""


def every_connection(number: int) -> bool:
    """Serve them all."""
    return True


@dataclass(slots=True)
class Request:
    """One request as it came, with the place in the run that its conversation shows.

    `task` is the first line of the first user message, `attempt` one more than there are assistant messages,
    `number` 1 for the first request with both, 2 for the one after it. Times are CLOCK_MONOTONIC in ns: it
    came, its answer began, the answer was over.
    """

    connection: int
    line: str
    headers: list[tuple[str, str]]
    body: bytes
    t: int
    task: str = ""
    attempt: int = 0
    number: int = 0
    t_answer: int | None = None
    t_end: int | None = None

    def header(self, name: str) -> list[str]:
        """The values of a header, named in lower case."""
        return [value for known, value in self.headers if known == name]

    @property
    def sha256(self) -> str:
        """The digest of the body."""
        return hashlib.sha256(self.body).hexdigest()

    @property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def messages(self) -> list[dict[str, str]]:
        """The conversation."""
        messages: list[dict[str, str]] = self.document["messages"]
        return messages


class Gone(Exception):
    """The runtime closed the connection while it was being answered."""


class Exchange:
    """One request and the means to answer it, byte by byte."""

    def __init__(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.request = request
        self._reader = reader
        self._writer = writer
        self.is_over = False

    async def send(self, *pieces: bytes) -> None:
        """Send each piece in a packet of its own; raises Gone when nobody is there to read."""
        for piece in pieces:
            if self._writer.transport.is_closing() or self._reader.at_eof():
                raise Gone
            if self.request.t_answer is None:
                self.request.t_answer = time.monotonic_ns()
            self._writer.write(piece)
            try:
                await self._writer.drain()
            except ConnectionError:
                raise Gone from None
            await asyncio.sleep(0)

    async def stream(self, *events: bytes) -> None:
        """Answer with an event stream of these events, chunked, and end it in order."""
        await self.send(wire.head(), *(wire.chunked(event) for event in events))
        await self.send(wire.LAST_CHUNK)

    async def reply(self, text: str) -> None:
        """Answer with an ordinary completion."""
        await self.stream(*wire.completion(text))

    async def code(self, code: str) -> None:
        """Answer with an ordinary completion that holds one Python block."""
        await self.reply(wire.fenced(code))

    async def pause(self, seconds: float) -> None:
        """Send nothing for a while; raises Gone when the runtime goes meanwhile."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.silence()
            raise Gone

    async def silence(self) -> None:
        """Send nothing until the runtime closes the connection."""
        with contextlib.suppress(ConnectionError):
            while await self._reader.read(65536):
                pass
        self.is_over = True

    def close(self) -> None:
        """Close the connection in order (FIN)."""
        self.is_over = True
        self._writer.close()

    async def closed(self) -> None:
        """Wait until the connection that is being closed or reset is so."""
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    def reset(self) -> None:
        """Break the connection (RST)."""
        self.is_over = True
        _reset(self._writer)


@dataclass(slots=True)
class Endpoint:
    """What came in: the requests in order, how many were open at most, and what was no request at all."""

    answer: Answer
    accept: Accept
    read_after_s: float = 0.0
    base_url: str = ""
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    open: int = 0
    most_open: int = 0
    problems: list[str] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)
    server: asyncio.Server | None = None
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def die(self) -> None:
        """Listen no more and break every connection."""
        assert self.server is not None
        self.server.close()
        for writer in self.writers:
            _reset(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        if not self.accept(number):
            _reset(writer)
            return
        self.writers.add(writer)
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if self.read_after_s:
                writer.transport.pause_reading()  # type: ignore[attr-defined]
                await asyncio.sleep(self.read_after_s)
                writer.transport.resume_reading()  # type: ignore[attr-defined]
            while (request := await _read_request(reader, number)) is not None:
                self._note(request)
                exchange = Exchange(request, reader, writer)
                self.open += 1
                self.most_open = max(self.most_open, self.open)
                try:
                    await self.answer(exchange)
                except Gone:
                    return
                finally:
                    self.open -= 1
                    request.t_end = time.monotonic_ns()
                if exchange.is_over:
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except (ValueError, asyncio.LimitOverrunError) as error:
            self.problems.append(f"connection {number}: {error}")
        except asyncio.CancelledError:
            pass
        except BaseException as error:  # a mistake in a case: the stage raises it
            self.failures.append(error)
        finally:
            self.writers.discard(writer)
            writer.close()

    def _note(self, request: Request) -> None:
        try:
            messages = request.messages
            request.task = next(message["content"] for message in messages if message["role"] == "user")
            request.task = request.task.partition("\n")[0]
            request.attempt = 1 + sum(message["role"] == "assistant" for message in messages)
        except (ValueError, KeyError, TypeError, StopIteration) as error:
            self.problems.append(f"request {len(self.requests) + 1}: no chat completion request ({error!r})")
        request.number = 1 + sum(
            (other.task, other.attempt) == (request.task, request.attempt) for other in self.requests
        )
        self.requests.append(request)


def _reset(writer: asyncio.StreamWriter) -> None:
    if writer.transport.is_closing():
        return
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _read_request(reader: asyncio.StreamReader, connection: int) -> Request | None:
    """Read the next request, or None where the connection ends before one; ValueError when it is none."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as cut:
        if cut.partial:
            raise ValueError(f"a request cut short after {len(cut.partial)} bytes") from None
        return None
    t = time.monotonic_ns()
    line, *fields = raw.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    headers = []
    for entry in fields:
        name, colon, value = entry.partition(":")
        if not colon:
            raise ValueError(f"a header without a colon: {entry[:60]!r}")
        headers.append((name.lower(), value.strip()))
    named = dict(headers)
    if "chunked" in named.get("transfer-encoding", "").lower():
        body = await _read_chunked(reader)
    else:
        body = await reader.readexactly(int(named.get("content-length", "0")))
    return Request(connection, line, headers, body, t)


async def _read_chunked(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass
    return body


@contextlib.asynccontextmanager
async def listening(
    answer: Answer, accept: Accept = every_connection, read_after_s: float = 0.0
) -> AsyncIterator[Endpoint]:
    """The endpoint on a free port of this machine, until the block is left.

    It reads nothing from a connection in its first `read_after_s` seconds; `RECEIVED_BYTES` wait at most.
    """
    endpoint = Endpoint(answer, accept, read_after_s)
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            await endpoint._serve(reader, writer)
        finally:
            serving.discard(task)

    port = socket.socket()
    port.bind(("127.0.0.1", 0))
    if read_after_s:
        port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVED_BYTES // 2)  # the kernel doubles it
    server = await asyncio.start_server(serve, sock=port, backlog=4096, limit=2**22)
    endpoint.server = server
    host, port = server.sockets[0].getsockname()[:2]
    endpoint.base_url = f"http://{host}:{port}/v1"
    try:
        yield endpoint
    finally:
        server.close()
        for task in list(serving):
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
