"""A running runtime: what a case does to it, and what the kernel shows of it and of what it leaves behind."""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Collection, Coroutine, Sequence
from pathlib import Path
from typing import Any

from agentdyno.conformance.endpoint import Endpoint
from agentdyno.conformance.rules import RuleViolation
from agentdyno.measure import proc
from agentdyno.process.child import Child

LOOK_S = 0.01
"""The interval between two looks, in seconds."""

DYING_S = 1.0
"""How long a process that was killed may take to be gone, in seconds."""


class Watcher:
    """Looks at the runtime and its children every few milliseconds, and at what became of them.

    `late_s` is how late it was with that at the worst, and so was the endpoint, with which it shares a loop.
    `wrapped` is the runtime's command where another program executes it; until then, children are not the
    runtime's.
    """

    def __init__(
        self, child: Child, key: str, wrapped: Sequence[str] = (), before: Collection[int] = ()
    ) -> None:
        """`before` are the pids of the children that this process had before `child`."""
        self._before = {child.pid, *before}
        self._children: set[int] = set()
        self.peak_kib = 0
        self.late_s = 0.0
        self.too_long = False
        self.key_in_process: list[str] = []
        self._child = child
        self._key = key.encode()
        self._wrapped = b"".join(b"\0" + os.fsencode(word) for word in wrapped) + b"\0" if wrapped else b""

    async def until_ended(self, within_s: float, acting: asyncio.Task[None] | None = None) -> None:
        """Wait for the end, unless what was to be done to the runtime could not be done."""
        end = time.monotonic() + within_s
        watched = proc.Watched(self._child.pid)
        due = time.monotonic()
        try:
            while not self._child.has_ended(0):
                self.late_s = max(self.late_s, time.monotonic() - due)
                due = time.monotonic() + LOOK_S
                looked = watched.look()
                if looked is not None:
                    self.peak_kib = max(self.peak_kib, looked[1].peak_kib)
                self.look_at_children()
                if acting is not None and acting.done() and acting.exception() is not None:
                    return
                if time.monotonic() > end:
                    self.too_long = True
                    return
                await asyncio.sleep(LOOK_S)
        finally:
            self.late_s = max(self.late_s, time.monotonic() - due)
            watched.close()

    async def survivors(self) -> list[str]:
        """The command lines of what outlived the runtime; one that has been killed is given time to die."""
        end = time.monotonic() + DYING_S
        while left := [process.pid for process in self._ours() if not process.is_zombie]:
            if time.monotonic() > end:
                return [_command(pid) for pid in left]
            await asyncio.sleep(LOOK_S)
        return []

    def not_reaped(self) -> int:
        """How many children of the runtime itself became ours as zombies.

        Zombies whose parent was somebody else are nobody's fault: they became ours when that parent died.
        """
        return sum(process.is_zombie and process.pid in self._children for process in self._ours())

    def _ours(self) -> list[proc.Process]:
        return [process for process in proc.children(os.getpid()) if process.pid not in self._before]

    def look_at_children(self) -> None:
        """Note the runtime's children of now, and whether one of them got the key."""
        if self._wrapped and self._is_wrapper():
            return
        for pid in proc.listed_children(self._child.pid):
            self._children.add(pid)
            with contextlib.suppress(OSError):
                command = _read(pid, "cmdline")
                # Until it executes something, a child shows what its parent shows.
                if command in (b"", _read(self._child.pid, "cmdline")):
                    continue
                if self._key in command:
                    self.key_in_process.append(f"arguments of {_command(pid)}")
                if self._key in _read(pid, "environ"):
                    self.key_in_process.append(f"environment of {_command(pid)}")

    def _is_wrapper(self) -> bool:
        """Whether the process still is the program that is going to execute the runtime."""
        with contextlib.suppress(OSError):
            return _read(self._child.pid, "cmdline").endswith(self._wrapped)
        return False


def _read(pid: int, name: str) -> bytes:
    return Path(f"/proc/{pid}/{name}").read_bytes()


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return _read(pid, "cmdline").replace(b"\0", b" ").decode(errors="replace").strip()
    return f"process {pid}"


class Running:
    """The runtime while it runs."""

    def __init__(self, child: Child, endpoint: Endpoint, events: Path, workspaces: Path) -> None:
        self.endpoint = endpoint
        self.pid = child.pid
        self.workspaces = workspaces
        self._child = child
        self._events = events

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the runtime's process."""
        self._child.signal(number)

    @property
    def has_ended(self) -> bool:
        """Whether the runtime's process has ended."""
        return self._child.has_ended(0)

    async def until(self, condition: Callable[[], object], what: str, within_s: float = 10.0) -> None:
        """Wait until the condition holds; raises RuleViolation, with `what` was awaited, when it does not in
        time.
        """
        end = time.monotonic() + within_s
        while True:
            is_last = time.monotonic() > end or self.has_ended
            if condition():
                return
            if is_last:
                raise RuleViolation(f"waited for {what} in vain")
            await asyncio.sleep(0.005)

    def events(self) -> list[dict[str, Any]]:
        """The whole event lines written so far; raises RuleViolation when one is no JSON object."""
        try:
            events = [json.loads(line) for line in self._events.read_bytes().split(b"\n")[:-1]]
        except FileNotFoundError:
            return []
        except (ValueError, RecursionError) as error:
            raise RuleViolation(f"an event line is no JSON: {error}") from None
        if not all(isinstance(event, dict) for event in events):
            raise RuleViolation("an event line is no JSON object")
        return events


Act = Callable[[Running], Coroutine[Any, Any, None]]
"""What is done to a runtime while it runs: signals, mostly."""
