"""A relay to a real endpoint: it passes on the bytes of requests and responses, and journals both.

The due time of a chunk is the moment at which it arrived from upstream, so its lateness is what the relay
adds. The relay reads a response for the journal after the response has left. Every failure is a status with a
reason and a line on stderr.
"""

import asyncio
import json
import os
import ssl
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from time import monotonic_ns
from typing import Self
from urllib.parse import SplitResult

import aiohttp

from agentdyno.endpoint.api import ApiError, Catalogue, attempt_of, opening_of, parse_chat_request
from agentdyno.endpoint.exchange import Exchange, Request
from agentdyno.endpoint.journal import Record
from agentdyno.endpoint.said import keys_in, one_line, said
from agentdyno.endpoint.stream import Completion, EventStream, first_choice, json_object, object_in
from agentdyno.endpoint.upstream import Upstream

KEEP_ALIVE_S = 3.0
"""Shorter than in common servers (uvicorn: 5 s), so that no request meets a connection that is closing."""

MAX_HEADER_BYTES = 256 * 1024
"""Of one header of a response; servers in use send some with tens of thousands."""

Headers = Sequence[tuple[bytes, bytes]]

_HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
"""Headers of a connection and not of the message, besides those that `Connection` names (RFC 9110, 7.6.1)."""

_SET_HERE = frozenset((b"accept-encoding", b"content-length", b"expect", b"host"))
"""Headers of a request that belong to the connection to upstream; a compressed response could not be read."""


class Relay:
    """Relays to a real endpoint; use it with `async with`. A UserError says what is wrong with `upstream`."""

    def __init__(self, upstream: Upstream, catalogue: Catalogue) -> None:
        self._upstream = upstream
        self._base_url, self._proxy, self._tls = upstream.parts, upstream.proxy_url, upstream.tls
        self._headers, self._secrets = upstream.headers_to_add, upstream.secrets
        self._catalogue = catalogue
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Open a pool of connections without a limit."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S, ssl=self._tls),
            proxy=self._proxy,  # and none from the environment
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._upstream.connect_s),
            auto_decompress=False,
            skip_auto_headers=("Accept", "Content-Type", "User-Agent"),
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
            requote_redirect_url=False,
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
            record.about(self._catalogue.find(opening), opening, attempt_of(request.messages))
            record.stream = request.stream
        self._start(exchange, "/chat/completions")

    def models(self, exchange: Exchange) -> None:
        """Forward the request."""
        self._start(exchange, "/models")

    def _start(self, exchange: Exchange, path: str) -> None:
        received: list[bytes] = []
        # Also of a response that breaks off: the client may have left after the finish reason.
        exchange.record.deferred = partial(
            _read_completion, received, [*self._secrets, *keys_in(exchange.request.headers)]
        )
        task = asyncio.get_running_loop().create_task(self._relay(exchange, path, received))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        exchange.on_abandoned = task.cancel

    async def _relay(self, exchange: Exchange, path: str, received: list[bytes]) -> None:
        request = exchange.request
        try:
            async with self._session.request(
                request.method,
                address(self._base_url, path, request.target.partition("?")[2]),
                data=self._upstream.body(request.body) or None,
                headers=_headers_to_send(request, self._headers),
                allow_redirects=False,
            ) as response:
                await _forward(response, exchange, received)
        except ApiError as error:
            exchange.refuse(error)
        except Exception as error:  # whatever it is, the client gets an answer
            _report(exchange, error)


def _report(exchange: Exchange, error: Exception) -> None:
    """Answer with a 502 and the reason, or break the response off, and say so on stderr."""
    if exchange.record.status is not None:
        happened, code = "broke off", "upstream_broke_off"
    elif isinstance(error, aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError):
        happened, code = "cannot be reached through the proxy", "upstream_unreachable"
    elif isinstance(error, aiohttp.ClientConnectorError | TimeoutError):
        happened, code = "cannot be reached", "upstream_unreachable"
    else:
        happened, code = "does not answer as HTTP wants", "upstream_error"
    message = f"The upstream endpoint {happened}: {_reason(error)}."
    print(f"request {exchange.record.id}: {message}", file=sys.stderr, flush=True)
    if exchange.record.status is not None:
        exchange.break_off(code)
    else:
        exchange.refuse(ApiError(502, message, kind="upstream_error", code=code))


def _reason(error: Exception) -> str:
    """What the system or the parser says, in one line."""
    said = str(error)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        reason = getattr(error.certificate_error, "verify_message", None) or str(error.certificate_error)
        said = f"its certificate is not trusted, {reason}"
    elif isinstance(error, aiohttp.ConnectionTimeoutError):
        said = "no connection in time"
    elif isinstance(error, aiohttp.ClientConnectorError):
        # OpenSSL's numbers are not the system's.
        number = None if isinstance(error.os_error, ssl.SSLError) else error.os_error.errno
        said = os.strerror(number) if number and number > 0 else str(error.os_error.strerror or error)
    elif isinstance(error, aiohttp.ClientResponseError):
        said = error.message
    return " ".join(said.split()) or type(error).__name__


def address(upstream: SplitResult, path: str, query: str) -> str:
    """The URL of a path below the base URL, which may have a query of its own (`?api-version=…`)."""
    queries = "&".join(one for one in (upstream.query, query) if one)
    return upstream._replace(path=upstream.path.rstrip("/") + path, query=queries, fragment="").geturl()


def _headers_to_send(request: Request, added: Mapping[str, str]) -> list[tuple[str, str]]:
    """The request's own headers for aiohttp, which writes text as UTF-8, and those that are added to all."""
    replaced = _SET_HERE.union(name.lower().encode() for name in added)
    try:
        return [
            *(
                (name.decode(), value.decode())
                for name, value in end_to_end(request.headers)
                if name.lower() not in replaced
            ),
            *added.items(),
            ("Accept-Encoding", "identity"),
        ]
    except UnicodeDecodeError:
        message = "A header of the request is not UTF-8, and the relay could not pass it on as it is."
        raise ApiError(400, message, code="invalid_header") from None


def end_to_end(headers: Headers) -> list[tuple[bytes, bytes]]:
    """The headers that a relay passes on (RFC 9110, 7.6.1)."""
    behind = _HOP_BY_HOP.union(
        name.strip().lower()
        for field, value in headers
        if field.lower() == b"connection"
        for name in value.split(b",")
    )
    return [(name, value) for name, value in headers if name.lower() not in behind]


async def _forward(response: aiohttp.ClientResponse, exchange: Exchange, received: list[bytes]) -> None:
    record = exchange.record
    record.status = response.status
    if response.status >= 400:
        record.retry_after_s = _seconds(response.headers.get("Retry-After", ""))
    length = response.headers.get("Content-Length")
    head = _head(response, exchange, length)
    async for data in response.content.iter_any():
        due_ns = monotonic_ns()
        record.due.append(due_ns - record.t_arrive)
        received.append(data)
        exchange.write(head + (data if length else b"%x\r\n%b\r\n" % (len(data), data)), due_ns)
        head = b""
    exchange.write(head + (b"" if length else b"0\r\n\r\n"), None)
    exchange.complete("stop" if response.status < 400 else "error")


def _seconds(retry_after: str) -> float:
    """What `Retry-After` asks for: seconds, or until a date (RFC 9110, 10.2.3); all else asks nothing."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _head(response: aiohttp.ClientResponse, exchange: Exchange, length: str | None) -> bytes:
    lines = [
        f"HTTP/1.1 {response.status} ".encode() + (response.reason or "").encode("utf-8", "surrogateescape"),
        f"Content-Length: {length}".encode() if length else b"Transfer-Encoding: chunked",
    ]
    lines += [
        name + b": " + value
        for name, value in end_to_end(response.raw_headers)
        if name.lower() != b"content-length"
    ]
    return b"".join(line + b"\r\n" for line in lines) + exchange.closing_header() + b"\r\n"


def _read_completion(received: list[bytes], secrets: Sequence[str], record: Record) -> None:
    """Complete the record from the bytes that have left, which need not be well formed."""
    if record.stream and record.status == 200:
        completion, piece = _streamed(received)
    else:
        completion, piece = _whole(received), len(received) - 1
    record.served = record.status == 200 and completion.finish_reason is not None
    usage = completion.usage or {}
    record.prompt_tokens = _count(usage.get("prompt_tokens"))
    record.completion_tokens = _count(usage.get("completion_tokens"))
    if record.status == 200:
        record.oddities = completion.oddities
    if received and (completion.reported or (record.status or 0) >= 400):
        error = json.dumps({"error": completion.reported}).encode() if completion.reported else None
        record.said = said(error or b"".join(received), secrets)
    if record.served:
        record.finish = one_line(completion.finish_reason or "")
        record.t_finish = _left(record, piece)
        record.replied(completion.text)
    elif record.t_gone is None:
        record.finish, record.t_finish = "error", None
        reported = completion.reported or {}
        code = reported.get("code") or reported.get("type")
        record.error = record.error or (one_line(str(code), secrets) if code else "no_finish_reason")


def _count(value: object) -> int | None:
    """A number of tokens, if it is one: a server may say anything."""
    return value if type(value) is int and 0 <= value < 2**63 else None


def _left(record: Record, piece: int) -> int | None:
    """When the piece came from upstream to be passed on; the client may have it before the write returns."""
    if record.t_first is None or not piece < len(record.late):
        return record.t_last
    return max(record.t_first, record.t_arrive + record.due[piece])


def _streamed(received: Sequence[bytes]) -> tuple[Completion, int]:
    """The completion in an event stream, and the number of the piece that brought its finish reason."""
    events, completion, finished = EventStream(), Completion(), None
    for number, data in enumerate(received):
        for one in events.feed(data):
            completion.add(one)
        if finished is None and completion.finish_reason is not None:
            finished = number
    completion.end()
    return completion, finished or 0


def _whole(received: Sequence[bytes]) -> Completion:
    """The completion, or the error object, in the body of a response that is no stream."""
    document = json_object(b"".join(received).decode(errors="replace")) or {}
    choice, completion = first_choice(document), Completion(reported=object_in(document, "error"))
    completion.add_chunk(document | {"choices": [choice | {"delta": object_in(choice, "message")}]})
    return completion
