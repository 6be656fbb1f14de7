"""A runtime while it runs, for cases that act on it meanwhile."""

import asyncio
import json
import signal
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from agentdyno.conformance.endpoint import Endpoint
from agentdyno.conformance.violation import RuleViolation
from agentdyno.process.child import Child


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
        """The whole event lines written so far; raises RuleViolation when one is no JSON."""
        try:
            return [json.loads(line) for line in self._events.read_bytes().split(b"\n")[:-1]]
        except FileNotFoundError:
            return []
        except ValueError as error:
            raise RuleViolation(f"an event line is no JSON: {error}") from None


Act = Callable[[Running], Coroutine[Any, Any, None]]
"""What is done to a runtime while it runs: signals, mostly."""
