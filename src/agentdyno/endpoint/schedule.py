"""Absolute due times: one heap, one timer.

A timer for each chunk would cost more than the chunk. At each wake-up, the schedule sends everything whose
due time has passed, in the order of due times. A due time never moves, even if an earlier one was missed.
"""

import asyncio
from heapq import heappop, heappush
from time import monotonic_ns
from typing import Protocol

_STEPS_IN_A_ROW = 64
"""After this many steps the loop reads its sockets, so that arrivals get their times under load too."""


class Timed(Protocol):
    """Work in steps, each with a due time of its own."""

    def step(self) -> int | None:
        """Do one step; return the due time of the next in nanoseconds of CLOCK_MONOTONIC, None at the end."""


class Schedule:
    """Calls `step` of everything in it at its due time, never before."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._heap: list[tuple[int, int, Timed]] = []
        self._count = 0
        self._timer: asyncio.Handle | None = None
        self._wakes_at = 0

    def add(self, due_ns: int, timed: Timed) -> None:
        """Add `timed`, whose first step has the due time `due_ns`."""
        self._push(due_ns, timed)
        if self._timer is None or due_ns < self._wakes_at:
            self._arm()

    def run_due(self) -> None:
        """Do what is due now, between other work, without waiting for the timer."""
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
