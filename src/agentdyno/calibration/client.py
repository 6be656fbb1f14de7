"""A load on the endpoint, and the programs that can be its client."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agentdyno.files import write_text
from agentdyno.project import PROMPTS
from agentdyno.runtimes.build import build
from agentdyno.runtimes.launch import RunFile, Verify, write_run_file
from agentdyno.runtimes.manifest import Manifest, choose

CONNECTIONS_PER_S = 2000.0
"""The rate at which clients open their streams."""


@dataclass(frozen=True, slots=True)
class Load:
    """Concurrent streams, the events a second of each, and how long all of them are open at once."""

    streams: int
    rate: float
    seconds: float

    @property
    def tokens(self) -> int:
        """The tokens of each reply, so that all streams overlap for `seconds`."""
        return max(1, round(self.rate * (self.streams / CONNECTIONS_PER_S + self.seconds)))

    @property
    def events_per_s(self) -> float:
        """The events a second of all streams together while all are open."""
        return self.streams * self.rate

    def begin_ns(self, stream: int) -> int:
        """The intended start of stream number `stream` (from 0), in nanoseconds after the first."""
        return round(stream / CONNECTIONS_PER_S * 1e9)


MODEL = "agentdyno-sim"
FLOOR, READER = "floor", "reader"
NAMES = (FLOOR, READER)

_TIMEOUT_S = 3600.0
"""Long, because the journal shows that an endpoint is overloaded; the client must not give up before."""


@dataclass(frozen=True, slots=True)
class Client:
    """A program that reads all streams of a load, and ends when they end.

    `argv` gives the command line for the endpoint at a URL; it may write files to the folder.
    """

    name: str
    argv: Callable[[str, Load, Path], list[str]]


def choose_client(name: str | None, build_log: Path) -> Client:
    """The client of this name; without a name, floor if its requirements are met, else the reader.

    Builds floor. Raises `UserError` if that fails, or if floor is named and a requirement is missing.
    """
    if name == READER:
        return Client(READER, _reader)
    [manifest] = choose([FLOOR])
    if name is None and manifest.missing():
        return Client(READER, _reader)
    build(manifest, build_log, check=lambda: None)
    return Client(FLOOR, lambda url, load, folder: _floor(manifest, url, load, folder))


def _reader(url: str, load: Load, folder: Path) -> list[str]:
    sizes = (str(load.streams), str(load.tokens), str(CONNECTIONS_PER_S))
    return [sys.executable, "-P", "-m", "agentdyno.calibration.reader", url, MODEL, *sizes]


def _floor(manifest: Manifest, url: str, load: Load, folder: Path) -> list[str]:
    """One agent per stream; the endpoint answers its conversation, which is about an unknown task, with
    prose.

    Prose holds no code, so an attempt ends when its stream ends.
    """
    workspaces = folder / "workspaces"
    workspaces.mkdir()
    tasks_file = folder / "tasks.jsonl"
    tasks = (
        {
            "task_id": f"calibration/{stream}",
            "prompt": "Go on.",
            "tests": "",
            "entry_point": "none",
            "start_after_ns": load.begin_ns(stream),
        }
        for stream in range(load.streams)
    )
    write_text(tasks_file, "".join(json.dumps(task) + "\n" for task in tasks))
    run_file = RunFile(
        tasks_file=tasks_file,
        prompts_file=PROMPTS,
        base_url=url,
        model=MODEL,
        request={"max_tokens": load.tokens},
        agents=load.streams,
        max_retries=0,
        verify=Verify(argv=[sys.executable], env={}, timeout_s=1, slots=1, output_limit_bytes=1),
        timeouts={"connect_s": _TIMEOUT_S, "event_idle_s": _TIMEOUT_S, "total_s": _TIMEOUT_S},
        transport={"max_retries": 0, "base_s": 0, "cap_s": 0},
        workspaces=workspaces,
        events=folder / "events.jsonl",
    )
    return [*manifest.command(manifest.run), str(write_run_file(folder / "run.json", run_file))]
