"""The event file.

Source: runtimes/CONTRACT.md, "Events".
"""

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Emit = Callable[[Mapping[str, object]], None]


@dataclass(slots=True)
class Attempt:
    """The record of one attempt, stamped by everything that works on it.

    Times are integer nanoseconds of CLOCK_MONOTONIC, None while the phase has not happened.
    """

    task: str
    attempt: int
    t_begin: int
    t_request: int | None = None
    t_first: int | None = None
    t_last: int | None = None
    t_queue: int | None = None
    t_spawn: int | None = None
    t_started: int | None = None
    t_exit: int | None = None
    t_end: int | None = None
    transport_retries: int = 0
    transport_ns: int = 0
    request_sha256: str | None = None
    completion_sha256: str | None = None
    usage: dict[str, object] | None = None
    exit_code: int | None = None
    signal: int | None = None
    timed_out: bool = False
    verdict: str | None = None
    reason: str | None = None

    def following(self) -> "Attempt":
        """Return the record of the next attempt, which begins when this one ends."""
        assert self.t_end is not None
        return Attempt(self.task, self.attempt + 1, t_begin=self.t_end)

    def event(self) -> dict[str, object]:
        """Return the attempt event."""
        return {"event": "attempt", **{name: getattr(self, name) for name in self.__slots__}}


def task_event(task_id: str, outcome: str, attempts: int, reason: str | None) -> dict[str, object]:
    """Return the task event; `outcome` is `passed`, `failed` or `error`, and `reason` is for the latter."""
    return {
        "event": "task",
        "task": task_id,
        "t": time.monotonic_ns(),
        "outcome": outcome,
        "attempts": attempts,
        "reason": reason,
    }


class EventFile:
    """A file of JSON lines, each written by one system call so that a reader never waits for one."""

    def __init__(self, path: str) -> None:
        """Create the file; raises `OSError`, also when it is there already: two runs never share one."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o644)
        self._path = path

    def emit(self, event: Mapping[str, object]) -> None:
        """Append one event; raises `EventFileFailed`."""
        text = json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n"
        # What an endpoint says may hold halves of surrogate pairs, and UTF-8 may not.
        line = memoryview(text.encode("utf-8", "replace"))
        try:
            while line:
                line = line[os.write(self._descriptor, line) :]
        except OSError as failure:
            raise EventFileFailed(f"{self._path}: cannot be written ({failure.strerror})") from None


class EventFileFailed(Exception):
    """An event is lost, so nothing that the run does from here on can be believed."""
