"""Endpoints as processes of their own, stopped whatever happens."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

START_S = 30


class Serving:
    """A running `agentdyno serve`."""

    def __init__(self, journal: Path, *arguments: str) -> None:
        self._journal = journal
        self.process = subprocess.Popen(
            [sys.executable, "-m", "agentdyno", "serve", "--journal", str(journal), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip().removeprefix("agentdyno endpoint listening on ")

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.url.removeprefix("http://").removesuffix("/v1").split(":")
        return host, int(port)

    def stop(self, number: int = signal.SIGTERM, said: str = "") -> list[dict[str, Any]]:
        """End it; the lines of its journal. What it wrote to stderr is nothing, or holds what it `said`."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=START_S)
        assert self.process.returncode == 0
        assert said in errors
        assert bool(said) == bool(errors)
        return [json.loads(line) for line in self._journal.read_text().splitlines()]

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def serve(tmp_path: Path, starts_processes: None) -> Iterator[Callable[..., Serving]]:
    started: list[Serving] = []

    def start(*arguments: str) -> Serving:
        journal = tmp_path / f"journal-{len(started)}.jsonl"
        serving = Serving(journal, *(arguments or ("--limit", "1", "--profile", "instant")))
        started.append(serving)
        return serving

    yield start
    for serving in started:
        serving.kill()
