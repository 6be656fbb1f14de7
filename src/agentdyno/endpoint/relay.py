"""A relay to a real endpoint: it forwards requests, returns the bytes of the responses, and journals both.

The due time of a chunk is the moment at which it arrived from upstream, so its lateness is what the relay
adds. The relay parses a response for the journal after the response has left.
"""

import asyncio
import json
from functools import partial
from time import monotonic_ns
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp

from agentdyno.endpoint.api import ApiError, Catalogue, attempt_of, key_of, opening_of, parse_chat_request
from agentdyno.endpoint.exchange import Exchange
from agentdyno.endpoint.journal import Record, sha256_of
from agentdyno.errors import UserError

CONNECT_S = 30.0
KEEP_ALIVE_S = 3.0
"""Shorter than in common servers (uvicorn: 5 s), so that no request meets a connection that is closing."""

_OF_THE_CONNECTION = {
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
"""Headers of a connection and not of the message (RFC 9110, 7.6.1), and headers that aiohttp sets."""


class Relay:
    """Relays to the endpoint with the base URL `upstream` (with its `/v1`); use it with `async with`."""

    def __init__(self, upstream: str, catalogue: Catalogue) -> None:
        parts = urlsplit(upstream)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UserError(f"--upstream {upstream}: not a URL; give one like https://host/v1")
        self._upstream = upstream.rstrip("/")
        self._catalogue = catalogue
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Open a pool of connections without a limit."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
            auto_decompress=False,
            skip_auto_headers=("Accept", "Content-Type", "User-Agent"),
        )
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Cancel the requests in flight, and disconnect."""
        for task in self._tasks:
            task.cancel()
        await self._session.close()

    def complete(self, exchange: Exchange) -> None:
        """Forward the request unchanged, even a bad one."""
        record = exchange.record
        try:
            request = parse_chat_request(exchange.request.body)
        except ApiError:
            pass
        else:
            opening = opening_of(request.messages)
            task = self._catalogue.find(opening)
            record.task = task.task_id if task else f"unknown/{key_of(opening)[:16]}"
            record.attempt = attempt_of(request.messages)
            record.stream = request.stream
        self._start(exchange, "/chat/completions")

    def models(self, exchange: Exchange) -> None:
        """Forward the request."""
        self._start(exchange, "/models")

    def _start(self, exchange: Exchange, path: str) -> None:
        task = asyncio.get_running_loop().create_task(self._relay(exchange, path))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        exchange.on_abandoned = task.cancel

    async def _relay(self, exchange: Exchange, path: str) -> None:
        request = exchange.request
        query = request.target.partition("?")[2]
        headers = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in request.headers
            if name.decode("latin-1").lower() not in _OF_THE_CONNECTION | {"accept-encoding"}
        ]
        try:
            async with self._session.request(
                request.method,
                f"{self._upstream}{path}{'?' if query else ''}{query}",
                data=request.body or None,
                headers=[*headers, ("Accept-Encoding", "identity")],
                allow_redirects=False,
            ) as response:
                await _forward(response, exchange)
        except (aiohttp.ClientError, TimeoutError) as error:
            if exchange.record.status is not None:
                exchange.break_off("upstream_broke_off")
                return
            message = f"The upstream endpoint cannot be reached: {error or type(error).__name__}."
            exchange.refuse(ApiError(502, message, kind="upstream_error", code="upstream_unreachable"))


async def _forward(response: aiohttp.ClientResponse, exchange: Exchange) -> None:
    record = exchange.record
    record.status = response.status
    length = response.headers.get("Content-Length")
    head = _head(response, exchange, length)
    received: list[bytes] = []
    async for data in response.content.iter_any():
        due_ns = monotonic_ns()
        record.due.append(due_ns - record.t_arrive)
        exchange.write(head + (data if length else b"%x\r\n%b\r\n" % (len(data), data)), due_ns)
        head = b""
        received.append(data)
    exchange.write(head + (b"" if length else b"0\r\n\r\n"), None)
    record.deferred = partial(_read_completion, received)
    exchange.complete("stop" if response.status < 400 else "error")


def _head(response: aiohttp.ClientResponse, exchange: Exchange, length: str | None) -> bytes:
    framing = f"Content-Length: {length}" if length else "Transfer-Encoding: chunked"
    lines = [f"HTTP/1.1 {response.status} {response.reason}", framing]
    lines += [
        f"{name}: {value}"
        for name, value in response.headers.items()
        if name.lower() not in _OF_THE_CONNECTION
    ]
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1") + exchange.closing_header() + b"\r\n"


def _read_completion(received: list[bytes], record: Record) -> None:
    """Complete the record from the bytes of the response, which need not be well formed."""
    text = b"".join(received).decode(errors="replace")
    content: list[str] = []
    finish_reason = error = None
    for document in map(_object, _data(text) if record.stream and record.status == 200 else [text]):
        error = error or _object_in(document, "error")
        usage = _object_in(document, "usage")
        record.prompt_tokens = usage.get("prompt_tokens", record.prompt_tokens)
        record.completion_tokens = usage.get("completion_tokens", record.completion_tokens)
        choices = document.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
        piece = (_object_in(choice, "delta") or _object_in(choice, "message")).get("content")
        content.append(piece if isinstance(piece, str) else "")
        finish_reason = choice.get("finish_reason") or finish_reason
    if finish_reason:
        record.finish = str(finish_reason)
        record.completion_sha256 = sha256_of("".join(content))
    else:
        record.finish = "error"
        record.error = str(error.get("code") or error.get("type")) if error else "no_finish_reason"


def _data(text: str) -> list[str]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [line.removeprefix("data:") for line in lines if line.startswith("data:")]


def _object(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _object_in(document: dict[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    return value if isinstance(value, dict) else {}
