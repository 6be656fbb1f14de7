"""Streamed chat completions, with the tries that a completion may take.

Source: runtimes/CONTRACT.md, "One task" and "Transport".
"""

import asyncio
import json
import random
import re
import time

from agentloop.completion import BrokenStream, Completion
from agentloop.connection import LINGER_S, Connection
from agentloop.events import Attempt
from agentloop.run_file import Timeouts, TransportRetries
from agentloop.sha256 import sha256_hex
from agentloop.sse import EventStream

DEFAULT_TIMEOUTS = Timeouts()
DEFAULT_TRANSPORT_RETRIES = TransportRetries()
RETRYABLE_STATUSES = frozenset({408, 429, *range(500, 600)})

_ERROR_BODY_LIMIT_BYTES = 2048
_REASON_LIMIT = 300
_CUT = "…"
_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")
_BASE_URL = re.compile(r"(https?)://(\[[^]]+\]|[^:/]+)(?::([0-9]+))?(.*)")


class ChatFailed(Exception):
    """No completion can be had; the message is one line that says why."""


class _TryFailed(Exception):
    """One request failed: whether another may do better, and how long to wait for it at least."""

    def __init__(self, reason: str, *, retryable: bool = True, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.retryable = retryable
        self.retry_after_s = retry_after_s


class Chat:
    """The chat completions of one OpenAI-compatible endpoint, as many at the same time as are asked for."""

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str = "",
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        transport: TransportRetries = DEFAULT_TRANSPORT_RETRIES,
    ) -> None:
        """Connect to nothing yet. `base_url` ends in `/v1`, or whatever precedes `/chat/completions`."""
        scheme, host, port, path = _split_base_url(base_url)
        authorization = f"Authorization: Bearer {api_key}\r\n" if api_key else ""
        self._request_head = (
            f"POST {path}/chat/completions HTTP/1.1\r\nHost: {host}{f':{port}' if port else ''}\r\n"
            f"Accept: text/event-stream\r\nContent-Type: application/json\r\n{authorization}Content-Length: "
        ).encode("ascii")
        self._host = host.strip("[]")
        self._port = int(port or {"http": 80, "https": 443}[scheme])
        self._tls = True if scheme == "https" else None
        # As it is, and as it is within JSON.
        self._key_spellings = {api_key, json.dumps(api_key)[1:-1]} if api_key else set()
        self._timeouts = timeouts
        self._transport = transport
        self._idle: dict[Connection, None] = {}

    async def complete(self, body: bytes, attempt: Attempt) -> str:
        """Return the reply to the request body and stamp `attempt`; raises `ChatFailed`."""
        attempt.request_sha256 = sha256_hex(body)
        try:
            async with asyncio.timeout(self._timeouts.total_s) as total:
                completion = await self._try_until_complete(body, attempt, total)
        except TimeoutError:
            raise ChatFailed(f"no completion within {self._timeouts.total_s:g} s") from None
        except _TryFailed as failure:
            raise ChatFailed(self._presentable(str(failure))) from None
        text = completion.text
        attempt.completion_sha256 = sha256_hex(text.encode())
        attempt.usage = completion.usage
        return text

    def close(self) -> None:
        """Close all idle connections."""
        for connection in self._idle:
            connection.close()

    async def _try_until_complete(self, body: bytes, attempt: Attempt, total: asyncio.Timeout) -> Completion:
        t_first_try = time.monotonic_ns()
        while True:
            attempt.transport_ns = time.monotonic_ns() - t_first_try if attempt.transport_retries else 0
            try:
                return await self._try(body, attempt, total)
            except _TryFailed as failure:
                if not failure.retryable or attempt.transport_retries >= self._transport.max_retries:
                    raise
                pause_s = max(self._backoff_s(attempt.transport_retries), failure.retry_after_s)
            await asyncio.sleep(pause_s)
            attempt.transport_retries += 1

    def _backoff_s(self, failures_before: int) -> float:
        """Full jitter: anything up to a bound that doubles with every failure."""
        # The exponent is bounded because the float is not.
        bound_s = min(self._transport.cap_s, self._transport.base_s * 2.0 ** min(failures_before, 64))
        return random.uniform(0, bound_s)

    async def _try(self, body: bytes, attempt: Attempt, total: asyncio.Timeout) -> Completion:
        attempt.t_request = attempt.t_first = attempt.t_last = None
        connection = self._quiet_connection() or await self._connect()
        answer = _Answer(attempt, self._timeouts.event_idle_s)
        try:
            attempt.t_request = time.monotonic_ns()
            connection.send(b"%b%d\r\n\r\n%b" % (self._request_head, len(body), body), answer)
            await answer.success()
            # What follows never undoes the success, and has a bound of its own.
            total.reschedule(None)
            return await answer.completion()
        finally:
            answer.close()
            connection.leave(answer, complete=answer.is_complete)

    def _quiet_connection(self) -> Connection | None:
        """Return an idle connection; those that the endpoint has closed meanwhile would only cost a try."""
        while self._idle:
            connection, _ = self._idle.popitem()
            if connection.is_quiet():
                return connection
            connection.close()
        return None

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeouts.connect_s):
                _, connection = await loop.create_connection(
                    lambda: Connection(self._idle), self._host, self._port, ssl=self._tls
                )
        except TimeoutError:
            raise _TryFailed(f"no connection within {self._timeouts.connect_s:g} s") from None
        except OSError as failure:
            raise _TryFailed(f"no connection ({failure.strerror or failure})") from None
        return connection

    def _presentable(self, reason: str) -> str:
        """Put what the endpoint said in one short line without the key: endpoints are known to quote it."""
        # Before anything is cut, so that no part of the key is left.
        for spelling in self._key_spellings:
            reason = reason.replace(spelling, "***")
            for length in range(len(spelling) - 1, 0, -1):
                reason = reason.replace(spelling[:length] + _CUT, f"***{_CUT}")
        return " ".join(reason.split())[:_REASON_LIMIT]


class _Answer:
    """Receives the response of one try and becomes a completion, or a `_TryFailed`."""

    def __init__(self, attempt: Attempt, event_idle_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._settled: asyncio.Future[None] = self._loop.create_future()
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._failure: _TryFailed | None = None
        self._attempt = attempt
        self._events = EventStream()
        self._completion = Completion()
        self._refusal: _Refusal | None = None
        self._event_idle_s = event_idle_s
        self._last_event_s = self._loop.time()
        self._timer = self._loop.call_at(self._last_event_s + event_idle_s, self._idle_check)

    async def success(self) -> None:
        """Wait for the finish reason; raises `_TryFailed`."""
        await self._settled
        if self._failure is not None:
            raise self._failure

    async def completion(self) -> Completion:
        """Wait, not for long, for what may follow the finish reason."""
        await self._over
        return self._completion

    @property
    def is_complete(self) -> bool:
        """Whether the answer arrived as far as it is of interest."""
        return self._completion.ended

    def close(self) -> None:
        """Receive no more."""
        self._timer.cancel()
        self._over.cancel()

    def head(self, status: int, headers: dict[bytes, bytes]) -> None:
        if status != 200:
            self._refusal = _Refusal(status, headers.get(b"retry-after", b"").decode("latin-1"))
            return
        encoding = headers.get(b"content-encoding", b"identity").decode("latin-1")
        kind = headers.get(b"content-type", b"").decode("latin-1")
        if encoding.lower() != "identity":
            self._fail(_TryFailed(f"the endpoint sent a compressed stream ({encoding})"))
        elif kind.partition(";")[0].strip().lower() != "text/event-stream":
            self._fail(_TryFailed(f"the endpoint sent no event stream but {kind or 'no Content-Type'}"))

    def body(self, piece: bytes) -> None:
        if self._refusal is not None:
            if not self._refusal.add(piece):
                self._refuse()
            return
        if self._over.done():
            return
        try:
            for data in self._events.feed(piece):
                self._last_event_s = self._loop.time()
                self._add(data)
        except BrokenStream as broken:
            self._fail(_TryFailed(str(broken)))

    def end(self) -> None:
        if self._over.done():
            return
        if self._refusal is not None:
            self._refuse()
            return
        try:
            self._completion.end()
        except BrokenStream as broken:
            self._fail(_TryFailed(str(broken)))
        else:
            self._over.set_result(None)

    def lost(self, reason: str) -> None:
        if self._completion.finish_reason is not None or self._refusal is not None:
            self.end()
        else:
            self._fail(_TryFailed(reason))

    def _add(self, data: str) -> None:
        completion = self._completion
        completion.add(data)
        if self._attempt.t_first is None and completion.started:
            self._attempt.t_first = time.monotonic_ns()
        if self._attempt.t_last is None and completion.finish_reason is not None:
            self._attempt.t_last = time.monotonic_ns()
            self._settle()
            self._timer.cancel()
            self._timer = self._loop.call_later(LINGER_S, self.end)
        if completion.ended:
            self.end()

    def _idle_check(self) -> None:
        deadline_s = self._last_event_s + self._event_idle_s
        if self._loop.time() < deadline_s:
            self._timer = self._loop.call_at(deadline_s, self._idle_check)
        elif self._refusal is not None:
            self._refuse()
        else:
            self._fail(_TryFailed(f"no event within {self._event_idle_s:g} s"))

    def _refuse(self) -> None:
        if self._refusal is not None:
            self._fail(self._refusal.failure())

    def _fail(self, failure: _TryFailed) -> None:
        if not self._over.done():
            self._failure = failure
            self._over.cancel()
            self._settle()

    def _settle(self) -> None:
        if not self._settled.done():
            self._settled.set_result(None)


class _Refusal:
    """A response with a status other than 200."""

    def __init__(self, status: int, retry_after: str) -> None:
        self._status = status
        self._retry_after = retry_after
        self._body = bytearray()

    def add(self, piece: bytes) -> bool:
        """Keep a piece of the body; returns whether there is room for more."""
        self._body += piece[: _ERROR_BODY_LIMIT_BYTES - len(self._body)]
        return len(self._body) < _ERROR_BODY_LIMIT_BYTES

    def failure(self) -> _TryFailed:
        said = self._body.decode("utf-8", "replace").strip()
        if len(self._body) == _ERROR_BODY_LIMIT_BYTES:
            said += _CUT  # perhaps within the key
        return _TryFailed(
            f"the endpoint answered {self._status}" + (f": {said}" if said else ""),
            retryable=self._status in RETRYABLE_STATUSES,
            retry_after_s=retry_after_s(self._retry_after),
        )


def retry_after_s(value: str) -> float:
    """Return how many seconds a Retry-After header, a number or an HTTP date, asks to wait; 0 without sense.

    Source: RFC 9110, section 10.2.3.
    """
    if _SECONDS.fullmatch(value):
        return min(float(value), 1e9)
    # Rare, and it takes 1 MiB, so it is loaded when needed.
    from email.utils import mktime_tz, parsedate_tz

    date = parsedate_tz(value)
    try:
        return max(0.0, mktime_tz(date) - time.time()) if date else 0.0
    except (ValueError, OverflowError):
        return 0.0


def _split_base_url(base_url: str) -> tuple[str, str, str, str]:
    parts = _BASE_URL.fullmatch(base_url.rstrip("/"))
    if parts is None:
        raise ValueError(
            f"base_url {base_url!r} is not http:// or https://, a host, a port or none, and a path"
        )
    return parts[1], parts[2], parts[3] or "", parts[4]
