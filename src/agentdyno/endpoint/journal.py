"""The journal: one JSON line for each request.

Times are integer nanoseconds of CLOCK_MONOTONIC. To format and hash a record takes longer than to send a
chunk, so the journal does it later, in small batches between due times.
"""

import asyncio
import hashlib
import json
from array import array
from collections import Counter, deque
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from time import monotonic_ns, process_time
from typing import Any

from agentdyno.endpoint.api import canonical_sha256, key_of
from agentdyno.errors import UserError
from agentdyno.tasks.extraction import code_block
from agentdyno.tasks.task import Task

_BATCH_NS = 500_000
_PAUSE_S = 0.005


class Record:
    """One request: the fields of its line in the journal, and what they are computed from."""

    __slots__ = (
        "attempt",
        "body",
        "completion_sha256",
        "completion_tokens",
        "deferred",
        "due",
        "entry_point",
        "error",
        "finish",
        "id",
        "in_flight",
        "late",
        "oddities",
        "prompt_tokens",
        "retry_after_s",
        "said",
        "served",
        "solution_sha256",
        "status",
        "stream",
        "t_arrive",
        "t_finish",
        "t_first",
        "t_gone",
        "t_last",
        "task",
        "unplanned_failure",
    )

    def __init__(self, number: int, t_arrive: int, in_flight: int, body: bytes) -> None:
        self.id = number
        self.t_arrive = t_arrive
        self.in_flight = in_flight
        self.body = body
        self.task: str | None = None
        self.attempt: int | None = None
        self.stream = False
        self.status: int | None = None
        self.error: str | None = None
        self.unplanned_failure: str | None = None
        """Why a reply failed that the script makes pass, by the feedback in the request after it."""
        self.said: str | None = None
        """The server's own words about a request that it refuses, in one line."""
        self.oddities: list[str] = []
        """What is odd in a reply (docs/endpoint.md)."""
        self.finish: str | None = None
        self.retry_after_s = 0.0
        """How long the response asks the client to wait before it tries again."""
        self.served = False
        """Whether a finish reason has left, whatever became of the rest of the response."""
        self.t_first: int | None = None
        self.t_finish: int | None = None
        self.t_last: int | None = None
        self.t_gone: int | None = None
        self.entry_point: str | None = None
        """What the task's solution has to define; None in a conversation about no task."""
        self.completion_sha256: str | None = None
        self.solution_sha256: str | None = None
        self.deferred: Callable[[Record], None] | None = None
        """Computes the remaining fields after the exchange, from what has left of the response."""
        self.prompt_tokens: int | None = None
        self.completion_tokens: int | None = None
        self.due: array[int] = array("q")
        """The intended send times, in nanoseconds after `t_arrive`; also of chunks that were never sent."""
        self.late: array[int] = array("q")
        """The lateness of each sent chunk: actual minus intended send time, in nanoseconds."""

    def about(self, task: Task | None, opening: str, attempt: int) -> None:
        """Note the task and the attempt that the conversation with this `opening` is about."""
        self.task = task.task_id if task else f"unknown/{key_of(opening)[:16]}"
        self.attempt = attempt
        self.entry_point = task.entry_point if task else None

    def replied(self, text: str) -> None:
        """Note the reply, and the code block in it that a runtime has to verify."""
        self.completion_sha256 = sha256_of(text)
        if self.entry_point is not None and (code := code_block(text, self.entry_point)) is not None:
            self.solution_sha256 = sha256_of(code)

    def sent(self, due_ns: int | None, began: int) -> None:
        """Note that a chunk has just left, in a write that began at `began`, and its lateness if it had a due
        time.
        """
        now = monotonic_ns()
        # A write wakes the client, which may finish reading before this line runs.
        self.t_last = began
        if self.t_first is None:
            self.t_first = began
        if due_ns is not None:
            self.late.append(now - due_ns)


class Lateness:
    """The distribution of lateness: how many chunks were late by each number of microseconds."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def update(self, late_us: list[int]) -> None:
        """Count more chunks."""
        self._counts.update(late_us)

    def percentile(self, percent: float) -> int | None:
        """The smallest lateness in microseconds that at least `percent` of the chunks did not exceed."""
        left = self._counts.total() * percent / 100
        for late_us in sorted(self._counts):
            left -= self._counts[late_us]
            if left <= 0:
                return late_us
        return None


class Journal:
    """Takes records, and writes them to the file later, in batches."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lateness = Lateness()
        self._waiting: deque[Record] = deque()
        self._timer: asyncio.Handle | None = None
        self._file: FileIO | None = None

    def start(self, path: Path | None, **facts: Any) -> None:
        """Create the file and write its first line; without a path nothing is written. Raises `UserError`."""
        if path is None:
            return
        try:
            self._file = FileIO(path, "x")
        except FileExistsError:
            raise UserError(f"journal {path} exists already; give another name, or remove the file") from None
        except OSError as error:
            raise UserError(f"journal {path}: {error.strerror}; give a file in a writable folder") from None
        self._write([{"kind": "start", "t": monotonic_ns(), **facts}])

    def add(self, record: Record) -> None:
        """Take the record of a request that is over."""
        self._waiting.append(record)
        if self._timer is None:
            self._timer = self._loop.call_later(_PAUSE_S, self._write_batch)

    def end(self, **facts: Any) -> None:
        """Write all records that are left and the last line, and close the file."""
        if self._timer is not None:
            self._timer.cancel()
        self._write([self._line(record) for record in self._waiting])
        self._waiting.clear()
        percentiles = {"p50": 50, "p99": 99, "max": 100}
        lateness = {f"lateness_us_{name}": self._lateness.percentile(at) for name, at in percentiles.items()}
        self._write(
            [{"kind": "end", "t": monotonic_ns(), **facts, "cpu_s": round(process_time(), 6), **lateness}]
        )
        if self._file is not None:
            self._file.close()

    def _write_batch(self) -> None:
        until = monotonic_ns() + _BATCH_NS
        lines = []
        while self._waiting and monotonic_ns() < until:
            lines.append(self._line(self._waiting.popleft()))
        self._write(lines)
        self._timer = self._loop.call_later(_PAUSE_S, self._write_batch) if self._waiting else None

    def _write(self, lines: list[dict[str, Any]]) -> None:
        if self._file is not None and lines:
            # One write of whole lines, so that a kill leaves no partial line between two others.
            self._file.write("".join(json.dumps(line) + "\n" for line in lines).encode())

    def _line(self, record: Record) -> dict[str, Any]:
        late_us = [late // 1000 for late in record.late]
        self._lateness.update(late_us)
        if self._file is None:
            return {}
        if record.deferred is not None:
            record.deferred(record)
        return {
            "kind": "request",
            "id": record.id,
            "task": record.task,
            "attempt": record.attempt,
            "t_arrive": record.t_arrive,
            "t_first": record.t_first,
            "t_finish": record.t_finish,
            "t_last": record.t_last,
            "t_gone": record.t_gone,
            "stream": record.stream,
            "status": record.status,
            "error": record.error,
            "unplanned_failure": record.unplanned_failure,
            "said": record.said,
            "oddities": record.oddities,
            "finish": record.finish,
            "served": record.served,
            "request_sha256": canonical_sha256(record.body),
            "completion_sha256": record.completion_sha256,
            "solution_sha256": record.solution_sha256,
            "prompt_tokens": record.prompt_tokens,
            "completion_tokens": record.completion_tokens,
            "in_flight": record.in_flight,
            "due_us": [due // 1000 for due in record.due[: len(late_us)]],
            "late_us": late_us,
        }


def sha256_of(text: str) -> str:
    """The SHA-256 of a text in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
