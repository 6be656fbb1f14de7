"""The response to one try, until it is a completion or a failure.

Source: runtimes/CONTRACT.md, "Stream" and "Transport".
"""

import asyncio
import time

from agentloop.backoff import retry_after_s
from agentloop.completion import BrokenStream, Completion
from agentloop.endpoint import CUT
from agentloop.events import Attempt
from agentloop.sse import EventStream

RETRYABLE_STATUSES = frozenset({408, 429, *range(500, 600)})

# How long to wait for the end of the stream after the finish reason; `usage` may come in that time.
STREAM_END_GRACE_S = 1.0

_ERROR_BODY_LIMIT_BYTES = 2048


class TryFailed(Exception):
    """One request failed: whether another may do better, and how long to wait for it at least."""

    def __init__(self, reason: str, *, retryable: bool = True, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.retryable = retryable
        self.retry_after_s = retry_after_s


class Answer:
    """Receives the response of one try and becomes a completion, or a `TryFailed`."""

    def __init__(self, attempt: Attempt, event_idle_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._settled: asyncio.Future[None] = self._loop.create_future()
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._failure: BaseException | None = None
        self._attempt = attempt
        self._events = EventStream()
        self._completion = Completion()
        self._refusal: _Refusal | None = None
        self._event_idle_s = event_idle_s
        self._last_event_s = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None

    async def success(self) -> None:
        """Wait for the finish reason; raises `TryFailed`."""
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
        self._stop_timer()
        self._over.cancel()

    def sent(self) -> None:
        """Begin to wait for events, now that the request is sent."""
        if not self._settled.done():
            self._last_event_s = self._loop.time()
            self._timer = self._loop.call_at(self._last_event_s + self._event_idle_s, self._idle_check)

    def head(self, status: int, headers: dict[bytes, bytes]) -> None:
        """Take in the status and the headers, by lower-case name."""
        if status != 200:
            self._refusal = _Refusal(status, headers.get(b"retry-after", b"").decode("latin-1"))
            return
        encoding = headers.get(b"content-encoding", b"identity").decode("latin-1")
        kind = headers.get(b"content-type", b"").decode("latin-1")
        if encoding.lower() != "identity":
            self._fail(TryFailed(f"the endpoint sent a compressed stream ({encoding})"))
        elif kind.partition(";")[0].strip().lower() != "text/event-stream":
            self._fail(TryFailed(f"the endpoint sent no event stream but {kind or 'no Content-Type'}"))

    def body(self, piece: bytes) -> None:
        """Take in a piece of the body."""
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
            self._fail(TryFailed(str(broken)))

    def end(self) -> None:
        """Take note that the body is complete, or that no more of it is waited for."""
        if self._over.done():
            return
        if self._refusal is not None:
            self._refuse()
            return
        try:
            self._completion.end()
        except BrokenStream as broken:
            self._fail(TryFailed(str(broken)))
        else:
            self._over.set_result(None)

    def lost(self, reason: str) -> None:
        """Take note that the connection ended before the body was complete."""
        if self._completion.finish_reason is not None or self._refusal is not None:
            self.end()
        else:
            self._fail(TryFailed(reason))

    def fault(self, error: BaseException) -> None:
        """Let whoever waits for this answer have an error of our own."""
        if self._settled.done() and not self._over.done():
            self._over.set_exception(error)
        else:
            self._fail(error)

    def _add(self, data: str) -> None:
        completion = self._completion
        completion.add(data)
        if self._attempt.t_first is None and completion.started:
            self._attempt.t_first = time.monotonic_ns()
        if self._attempt.t_last is None and completion.finish_reason is not None:
            self._attempt.t_last = time.monotonic_ns()
            self._settle()
            self._stop_timer()
            self._timer = self._loop.call_later(STREAM_END_GRACE_S, self.end)
        if completion.ended:
            self.end()

    def _idle_check(self) -> None:
        deadline_s = self._last_event_s + self._event_idle_s
        if self._loop.time() < deadline_s:
            self._timer = self._loop.call_at(deadline_s, self._idle_check)
        elif self._refusal is not None:
            self._refuse()
        else:
            self._fail(TryFailed(f"no event within {self._event_idle_s:g} s"))

    def _refuse(self) -> None:
        if self._refusal is not None:
            self._fail(self._refusal.failure())

    def _fail(self, failure: BaseException) -> None:
        if not self._over.done():
            self._failure = failure
            self._over.cancel()
            self._settle()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

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

    def failure(self) -> TryFailed:
        said = self._body.decode("utf-8", "replace").strip()
        if len(self._body) == _ERROR_BODY_LIMIT_BYTES:
            said += CUT  # perhaps within the key
        return TryFailed(
            f"the endpoint answered {self._status}" + (f": {said}" if said else ""),
            retryable=self._status in RETRYABLE_STATUSES,
            retry_after_s=retry_after_s(self._retry_after),
        )
