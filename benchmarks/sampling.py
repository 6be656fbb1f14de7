"""Does being sampled change what a runtime takes? Run as `.venv/bin/python benchmarks/sampling.py [RUNTIME]`.

Whole runs differ by ten per cent for reasons of the machine's, so the sampler is switched on and off within
one run, second by second, and the processor time that the runtime takes for its work is compared between
neighbouring seconds. The first and the last seconds, in which agents begin and run out of tasks, are
left out.
"""

import json
import math
import os
import sys
import tempfile
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from time import monotonic_ns

import numpy
from scipy.stats import bootstrap

from agentdyno.measure import proc
from agentdyno.measure.sampler import Sampler
from agentdyno.process.orphans import adopt_orphans
from agentdyno.process.signals import Interrupts
from agentdyno.rundata.cell import UNSAMPLED, Cell
from agentdyno.runner.experiment import shared_files
from agentdyno.runner.prepare import prepare
from agentdyno.runner.run import run_once
from agentdyno.runner.settings import Settings
from agentdyno.runtimes.build import build

AGENTS, TASKS = 100, 18_000
WINDOW_NS = 1_000_000_000
LEFT_OUT = 4
"""So many windows at either end."""


@dataclass
class Switch:
    """Called at every look at the run: switches the sampler when a window is over."""

    folder: Path
    sampler: Sampler | None = None
    pid: int | None = None
    edges: list[tuple[int, float, bool]] = field(default_factory=list)
    """When a window began, the runtime's processor time until then, and whether it is sampled in it."""

    def __call__(self, events: Path, _: Sampler | None) -> None:
        """Look at the clock."""
        if self.pid is None:
            self.pid = _pid(events)
        now = monotonic_ns()
        if self.pid is None or (self.edges and now < self.edges[-1][0] + WINDOW_NS):
            return
        sampled = self.sampler is not None
        self.stop()
        cpu_s = proc.cpu_s(self.pid)
        if cpu_s is None:
            return
        self.edges.append((monotonic_ns(), cpu_s, not sampled))
        if not sampled:
            self.sampler = Sampler(self.pid, self.folder / "samples.jsonl").__enter__()

    def stop(self) -> None:
        """Switch it off."""
        if self.sampler is not None:
            self.sampler.__exit__(None, None, None)
            self.sampler = None


def main() -> None:
    """One run; prints the ratio of processor times, sampled to not sampled, and its interval."""
    runtime = sys.argv[1] if len(sys.argv) > 1 else "python"
    with tempfile.TemporaryDirectory(prefix="agentdyno-sampling-") as name, Interrupts() as interrupts:
        settings = Settings(
            runtimes=(runtime,),
            agents=(AGENTS,),
            limit=TASKS,
            verifiers=("null",),
            verify_slots=os.cpu_count() or 1,
            profile="steady:ttft=200ms,itl=5ms",
        )
        prepared = prepare(settings, lambda: Path(name))
        interrupts.defer()
        adopt_orphans()
        (manifest,) = prepared.runtimes
        build([manifest], prepared.folder / "build", interrupts.check)
        cell = Cell(runtime, AGENTS, "null", settings.profile, UNSAMPLED)
        folder = prepared.folder / "runs" / "sampling"
        switch = Switch(prepared.folder)
        try:
            files = shared_files(prepared, AGENTS)
            run_once(cell, 1, manifest, prepared.verifiers[0], settings, folder, files, switch, interrupts)
        finally:
            switch.stop()
        report(switch.edges, *served(folder / "journal.jsonl"))


def _pid(events: Path) -> int | None:
    """The runtime's pid, once it has told it."""
    if not events.exists() or not (first := events.read_bytes().partition(b"\n")[0]):
        return None
    pid: int = json.loads(first)["pid"]
    return pid


def served(journal: Path) -> tuple[list[int], list[int]]:
    """When each chunk left, and when each reply ended, in nanoseconds of CLOCK_MONOTONIC."""
    with journal.open(encoding="utf-8") as lines:
        requests = [line for line in map(json.loads, lines) if line["kind"] == "request"]
    chunks = sorted(
        request["t_arrive"] + (due + late) * 1000
        for request in requests
        for due, late in zip(request["due_us"], request["late_us"], strict=True)
    )
    return chunks, sorted(request["t_last"] for request in requests)


def report(edges: Sequence[tuple[int, float, bool]], chunks: Sequence[int], ends: Sequence[int]) -> None:
    """Print what the windows say.

    A second's work is its chunks and the attempts that ended in it, each of which costs a test process, files
    and the next request; what they cost is fitted to all seconds alike.
    """
    windows = list(pairwise(edges))[LEFT_OUT:-LEFT_OUT]
    work = numpy.array(
        [[_between(times, one[0], other[0]) for times in (chunks, ends)] for one, other in windows], float
    )
    cpu_s = numpy.array([other[1] - one[1] for one, other in windows])
    costs, *_ = numpy.linalg.lstsq(work, cpu_s)
    logs = numpy.log(cpu_s / (work @ costs))
    pairs = [
        logs[i] - logs[i + 1] if windows[i][0][2] else logs[i + 1] - logs[i]
        for i in range(0, len(windows) - 1, 2)
    ]
    interval = bootstrap((pairs,), numpy.mean, rng=0).confidence_interval
    ratio, low, high = (math.exp(value) for value in (numpy.mean(pairs), interval.low, interval.high))
    a_chunk, an_attempt = f"{costs[0] * 1e6:.1f} µs a chunk", f"{costs[1] * 1e3:.2f} ms an attempt"
    print(f"{len(pairs)} pairs of seconds, {a_chunk} and {an_attempt}")
    print(f"processor time sampled / not sampled: {ratio:.4f}, 95% CI {low:.4f} to {high:.4f}")


def _between(times: Sequence[int], begin: int, end: int) -> int:
    return bisect_left(times, end) - bisect_left(times, begin)


if __name__ == "__main__":
    main()
