"""Streamed chat completions, with the tries that a completion may take.

Source: runtimes/CONTRACT.md, "One task" and "Transport".
"""

import asyncio
import time

from agentloop.answer import Answer, TryFailed
from agentloop.backoff import backoff_s
from agentloop.completion import Completion
from agentloop.connection import Connection, receive_buffer
from agentloop.endpoint import Endpoint
from agentloop.events import Attempt
from agentloop.run_file import Timeouts, TransportRetries
from agentloop.sha256 import sha256_hex

DEFAULT_TIMEOUTS = Timeouts()
DEFAULT_TRANSPORT_RETRIES = TransportRetries()


class ChatFailed(Exception):
    """No completion can be had; the message is one line that says why."""


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
        self._endpoint = Endpoint(base_url, api_key)
        self._timeouts = timeouts
        self._transport = transport
        self._idle: dict[Connection, None] = {}
        self._received = receive_buffer()

    async def complete(self, body: bytes, attempt: Attempt) -> str:
        """Return the reply to the request body and stamp `attempt`; raises `ChatFailed`."""
        attempt.request_sha256 = sha256_hex(body)
        try:
            async with asyncio.timeout(self._timeouts.total_s) as total:
                completion = await self._complete_with_tries(body, attempt, total)
        except TimeoutError:
            raise ChatFailed(f"no completion within {self._timeouts.total_s:g} s") from None
        except TryFailed as failure:
            raise ChatFailed(self._endpoint.presentable(str(failure))) from None
        text = completion.text
        attempt.completion_sha256 = sha256_hex(text.encode())
        attempt.usage = completion.usage
        return text

    def close(self) -> None:
        """Close all idle connections."""
        for connection in self._idle:
            connection.close()

    async def _complete_with_tries(self, body: bytes, attempt: Attempt, total: asyncio.Timeout) -> Completion:
        t_first_try = time.monotonic_ns()
        while True:
            attempt.transport_ns = time.monotonic_ns() - t_first_try if attempt.transport_retries else 0
            try:
                return await self._try_once(body, attempt, total)
            except TryFailed as failure:
                if not failure.retryable or attempt.transport_retries >= self._transport.max_retries:
                    raise
                pause_s = max(backoff_s(self._transport, attempt.transport_retries), failure.retry_after_s)
            await asyncio.sleep(pause_s)
            attempt.transport_retries += 1

    async def _try_once(self, body: bytes, attempt: Attempt, total: asyncio.Timeout) -> Completion:
        attempt.t_request = attempt.t_first = attempt.t_last = None
        connection = self._quiet_connection() or await self._connect()
        answer = Answer(attempt, self._timeouts.event_idle_s)
        try:
            attempt.t_request = time.monotonic_ns()
            connection.send(b"%b%d\r\n\r\n%b" % (self._endpoint.request_head, len(body), body), answer)
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
                    lambda: Connection(self._idle, self._received),
                    self._endpoint.host,
                    self._endpoint.port,
                    ssl=self._endpoint.tls,
                )
        except TimeoutError:
            raise TryFailed(f"no connection within {self._timeouts.connect_s:g} s") from None
        except OSError as failure:
            raise TryFailed(f"no connection ({failure.strerror or failure})") from None
        return connection
