"""Absolute deadlines: one heap, one timer.

A timer for each chunk would cost more than the chunk. What falls due between two wake-ups is sent in the
order of its deadlines, and no deadline ever moves because an earlier one was missed.
"""

import asyncio
from heapq import heappop, heappush
from time import monotonic_ns
from typing import Protocol

_STEPS_IN_A_ROW = 64
"""After so many steps the loop looks at its sockets, so that arrivals are stamped while much is due."""


class Timed(Protocol):
    """Something that is done in steps, each with its own deadline."""

    def step(self) -> int | None:
        """Do what is due; return the next deadline (nanoseconds of CLOCK_MONOTONIC), or None at the end."""


class Schedule:
    """Calls `step` of everything in it when it is due, never before."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._heap: list[tuple[int, int, Timed]] = []
        self._count = 0
        self._timer: asyncio.Handle | None = None
        self._wakes_at = 0

    def add(self, due_ns: int, timed: Timed) -> None:
        """Have `timed` stepped at `due_ns` for the first time."""
        self._push(due_ns, timed)
        if self._timer is None or due_ns < self._wakes_at:
            self._arm()

    def run_due(self) -> None:
        """Send what is due now, in between other work, rather than when the timer fires."""
        if self._heap and self._heap[0][0] <= monotonic_ns():
            self._run()

    def _push(self, due_ns: int, timed: Timed) -> None:
        self._count += 1
        heappush(self._heap, (due_ns, self._count, timed))

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._heap:
            return
        self._wakes_at = self._heap[0][0]
        if self._wakes_at <= monotonic_ns():
            self._timer = self._loop.call_soon(self._run)
        else:
            self._timer = self._loop.call_at(-(-self._wakes_at // 1_000_000) / 1000, self._run)

    def _run(self) -> None:
        heap = self._heap
        for _ in range(_STEPS_IN_A_ROW):
            if not heap or heap[0][0] > monotonic_ns():
                break
            _, _, timed = heappop(heap)
            due_ns = timed.step()
            if due_ns is not None:
                self._push(due_ns, timed)
        self._arm()
