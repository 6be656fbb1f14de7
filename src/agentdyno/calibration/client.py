"""A load on the endpoint."""

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
"""The pace at which clients open their streams."""


@dataclass(frozen=True, slots=True)
class Load:
    """So many streams at once, each with so many events a second, for so long after the last has begun."""

    streams: int
    rate: float
    seconds: float

    @property
    def tokens(self) -> int:
        """How long each reply must be for all streams to overlap that long."""
        return max(1, round(self.rate * (self.streams / CONNECTIONS_PER_S + self.seconds)))

    @property
    def events_per_s(self) -> float:
        """What all streams ask together while all are open."""
        return self.streams * self.rate

    def begin_ns(self, stream: int) -> int:
        """When the stream of this number, from 0, is to begin, in nanoseconds after the first."""
        return round(stream / CONNECTIONS_PER_S * 1e9)


MODEL = "agentdyno-sim"
FLOOR, READER = "floor", "reader"
NAMES = (FLOOR, READER)

_PATIENCE_S = 3600.0
"""For connections and events: an overloaded endpoint is to be found late by its journal, not given up."""


@dataclass(frozen=True, slots=True)
class Client:
    """A program that reads as many streams as a load has, and ends when they do.

    `argv` is what to execute for the endpoint at a URL; it may put files in the folder.
    """

    name: str
    argv: Callable[[str, Load, Path], list[str]]


def choose_client(name: str | None, build_log: Path) -> Client:
    """The client of this name, or floor where it can be built and else the reader; floor is built.

    Raises `UserError` when floor does not build, or was asked for and what it needs is missing.
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
    """An agent a stream, each with a conversation that the endpoint does not know and answers with prose.

    Prose holds no code, so an attempt is over when its stream is.
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
        timeouts={"connect_s": _PATIENCE_S, "event_idle_s": _PATIENCE_S, "total_s": _PATIENCE_S},
        transport={"max_retries": 0, "base_s": 0, "cap_s": 0},
        workspaces=workspaces,
        events=folder / "events.jsonl",
    )
    return [*manifest.command(manifest.run), str(write_run_file(folder / "run.json", run_file))]
