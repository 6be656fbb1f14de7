"""What a person sees while an experiment runs: a live display on a terminal, plain lines otherwise."""

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from agentdyno.measure.sampler import Sampler
from agentdyno.rundata.cell import CONTROL_NAMES, Cell
from agentdyno.runner.run import Observe

PLAIN_LINE_EVERY_S = 10.0


class Tally:
    """Counts the outcomes in an event file that is still being written."""

    def __init__(self) -> None:
        self._offset = 0
        self.passed = 0
        self.ended = 0
        self.attempts = 0

    def update(self, events: Path) -> None:
        """Count the whole lines that came since the last look; a line that is not JSON is judged later,
        not here.
        """
        if not events.is_file():
            return
        with events.open("rb") as file:
            file.seek(self._offset)
            whole = file.read().rpartition(b"\n")[0]
        if not whole:
            return
        self._offset += len(whole) + 1
        for line in whole.split(b"\n"):
            with contextlib.suppress(ValueError, AttributeError, RecursionError):
                event = json.loads(line)
                self.attempts += event.get("event") == "attempt"
                self.ended += event.get("event") == "task"
                self.passed += event.get("outcome") == "passed"


class Progress:
    """Shows an experiment on `console`."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, line: str) -> None:
        """Print a line that stays."""
        self._console.print(line, markup=False, highlight=False)

    @contextlib.contextmanager
    def run(self, position: str, cell: Cell, tasks: int) -> Iterator[Observe]:
        """Show one run: yields what is to be called at every look, and leaves one line when it is over."""
        title = f"run {position}: {cell.runtime}, {cell.agents} agents, {cell.verifier}, {cell.profile}"
        if cell.control:
            title += f", {CONTROL_NAMES[cell.control]}"
        tally, begun = Tally(), time.monotonic()
        shown_at = begun
        peak_kib = 0

        def line() -> str:
            elapsed = time.monotonic() - begun
            return (
                f"{tally.ended}/{tasks} tasks, {tally.passed} passed, {tally.attempts} attempts, "
                f"peak {peak_kib / 1024:.1f} MiB, {elapsed:.1f} s"
            )

        def look(events: Path, sampler: Sampler | None) -> None:
            nonlocal peak_kib
            tally.update(events)
            if sampler is not None and sampler.latest is not None:
                peak_kib = sampler.latest.peak_rss_kib

        if not self._console.is_terminal:
            self.say(title)

            def plain(events: Path, sampler: Sampler | None) -> None:
                nonlocal shown_at
                look(events, sampler)
                if time.monotonic() - shown_at >= PLAIN_LINE_EVERY_S:
                    shown_at = time.monotonic()
                    self.say(f"  {line()}")

            yield plain
        else:
            with Live(console=self._console, refresh_per_second=4, transient=True) as live:

                def draw(events: Path, sampler: Sampler | None) -> None:
                    look(events, sampler)
                    live.update(_panel(title, tally, tasks, line()))

                yield draw
            self.say(title)
        self.say(f"  {line()}")


def _panel(title: str, tally: Tally, tasks: int, line: str) -> Table:
    grid = Table.grid()
    grid.add_row(title)
    grid.add_row(ProgressBar(total=tasks, completed=tally.ended, width=60))
    grid.add_row(line)
    return grid
