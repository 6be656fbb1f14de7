"""Measures the endpoint under one load, and searches for the largest load.

The endpoint and its client run as processes of their own, with priority over other programs. The client is
floor, or a program that only reads. The endpoint's journal holds the lateness of its chunks. A load that is
too large here is too large beside a runtime as well.
"""

import json
import math
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from agentdyno.endpoint.process import prefer, started
from agentdyno.errors import UserError
from agentdyno.files import write_text
from agentdyno.measure import proc
from agentdyno.process import limits
from agentdyno.process.child import Child
from agentdyno.project import PROMPTS
from agentdyno.reading import json_lines
from agentdyno.runtimes.build import build
from agentdyno.runtimes.launch import RunFile, Verify, inherited, write_run_file
from agentdyno.runtimes.manifest import Manifest, choose
from agentdyno.shape import Json, shaped

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


def choose_client(name: str | None, logs: Path) -> Client:
    """The client of this name; without a name, floor if its requirements are met, else the reader.

    Builds floor. Raises `UserError` if that fails, or if floor is named and a requirement is missing.
    """
    if name == READER:
        return Client(READER, _reader)
    [manifest] = choose([FLOOR])
    if name is None and manifest.missing():
        return Client(READER, _reader)
    build([manifest], logs, check=lambda: None)
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


GOAL_P99_MS = 10.0
BUSY_CPU = 0.2
"""Other programs may explain a fault if they use at least this share of a core."""
_LOOK_S = 0.25


@dataclass(frozen=True, slots=True)
class Measurement:
    """The endpoint's service under one load.

    The CPU shares are of one core, from the first arrival to the last chunk. `others_cpu` is the share of all
    other programs, from the start of the endpoint to its end.
    """

    streams: int
    rate: float
    client: str
    max_in_flight: int
    completed: int
    events_per_s: float
    lateness_p50_ms: float
    lateness_p99_ms: float
    lateness_max_ms: float
    endpoint_cpu: float
    client_cpu: float
    others_cpu: float

    @property
    def disturbed(self) -> bool:
        """Whether other programs used so much of the machine that they may have caused a fault."""
        return self.others_cpu >= BUSY_CPU

    @property
    def faults(self) -> list[str]:
        """Why the endpoint is no instrument under this load; empty if it is one."""
        faults = []
        if self.max_in_flight < self.streams:
            faults.append(f"only {self.max_in_flight} of {self.streams} streams were open at once")
        if self.completed < self.streams:
            faults.append(f"{self.streams - self.completed} streams did not complete")
        if self.lateness_p99_ms >= GOAL_P99_MS:
            faults.append(f"one chunk in a hundred left more than {GOAL_P99_MS:g} ms late")
        if faults and self.disturbed:
            faults.append(
                f"other programs used {self.others_cpu:.0%} of a core meanwhile; stop them and try again"
            )
        return faults


def measure(load: Load, client: Client) -> Measurement:
    """Start an endpoint and the client, wait for both to end, and read the journal. Raises `UserError`."""
    limits.allow_open_files(
        limits.open_files_needed(load.streams, 0, relayed=False), f"{load.streams} streams"
    )
    begun, others_begun_s = time.monotonic(), _cpu_of_others_s()
    with tempfile.TemporaryDirectory(prefix="agentdyno-calibrate-") as name:
        folder = Path(name).resolve()
        journal = folder / "journal.jsonl"
        client_cpu_s = _serve_and_read(load, client, journal)
        others_cpu = (_cpu_of_others_s() - others_begun_s) / (time.monotonic() - begun)
        documents = list(json_lines(journal, partial(shaped, kind=dict[str, Json]), "calibrate again"))
    return _measurement(load, client, documents, client_cpu_s, others_cpu)


def _serve_and_read(load: Load, client: Client, journal: Path) -> float:
    """Run the endpoint and the client; returns the client's processor time in seconds."""
    folder = journal.parent
    profile = f"instant:itl={1e6 / load.rate:.3f}us"
    options = ["--limit", "1", "--model", MODEL, "--profile", profile, "--journal", str(journal)]
    said = folder / "client.stderr"
    with (
        started(options, folder / "endpoint.stderr") as (endpoint, url),
        said.open("wb") as stderr,
        Child(client.argv(url, load, folder), cwd=folder, environment=inherited(), stderr=stderr) as child,
    ):
        prefer(endpoint.pid)
        # A client that waits for a core opens its streams late, which is not the endpoint's fault.
        prefer(child.pid)
        launched_s = proc.cpu_s(child.pid)
        while not child.has_ended(_LOOK_S):
            if endpoint.has_ended(0):
                raise UserError("calibrate: the endpoint ended before the client did; try again", status=1)
        # The client is not reaped yet, so the kernel still has its processor time.
        ended_s = proc.cpu_s(child.pid)
        status = child.reap()
    if status:
        words = said.read_text(errors="replace").strip().splitlines() or ["nothing"]
        raise UserError(
            f"calibrate: the client {client.name} ended with status {status} and said: {words[-1]}", status=1
        )
    assert launched_s is not None
    assert ended_s is not None
    return ended_s - launched_s


def _cpu_of_others_s() -> float:
    """Processor time of the whole machine (proc(5), /proc/stat) without that of the reaped children."""
    user, nice, system, _, _, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    machine = (user + nice + system + irq + softirq + steal) / proc.CLOCK_TICKS_PER_S
    return machine - own.ru_utime - own.ru_stime


def _measurement(
    load: Load, client: Client, documents: list[dict[str, Any]], client_cpu_s: float, others_cpu: float
) -> Measurement:
    start, end = documents[0], documents[-1]
    requests = [document for document in documents if document["kind"] == "request"]
    begun_at = min((request["t_arrive"] for request in requests), default=0)
    ended_at = max((request["t_last"] or 0 for request in requests), default=0)
    if ended_at <= begun_at:
        raise UserError(f"calibrate: no stream of the client {client.name} was served", status=1)
    span_s = (ended_at - begun_at) / 1e9
    return Measurement(
        streams=load.streams,
        rate=load.rate,
        client=client.name,
        max_in_flight=end["max_in_flight"],
        completed=sum(1 for request in requests if request["completion_sha256"] is not None),
        events_per_s=round(sum(len(request["late_us"]) for request in requests) / span_s),
        lateness_p50_ms=end["lateness_us_p50"] / 1e3,
        lateness_p99_ms=end["lateness_us_p99"] / 1e3,
        lateness_max_ms=end["lateness_us_max"] / 1e3,
        endpoint_cpu=round((end["cpu_s"] - start["cpu_s"]) / span_s, 3),
        client_cpu=round(client_cpu_s / span_s, 3),
        others_cpu=round(max(others_cpu, 0.0), 3),
    )


def bracket(
    holds: Callable[[int], bool], *, start: int, least: int, most: int, precision: float
) -> tuple[int | None, int | None]:
    """A number for which `holds` is true and a larger one for which it is false, by doubling, then bisection.

    Their ratio is at most 1 + `precision`, or they differ by 1. The first is None if `holds` is false for
    `least`; the second is None if `holds` is true for `most`. Bisection uses the geometric mean, because
    `precision` is a ratio.
    """
    good: int | None = None
    bad: int | None = None
    at = start
    while True:
        if holds(at):
            good = at
        else:
            bad = at
        if good is None:
            if at == least:
                return None, bad
            at = max(least, at // 2)
        elif bad is None:
            if at == most:
                return good, None
            at = min(most, at * 2)
        elif bad <= good * (1 + precision) or bad - good == 1:
            return good, bad
        else:
            at = round(math.sqrt(good * bad))
