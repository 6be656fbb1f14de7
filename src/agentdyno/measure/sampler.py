"""Sampling a runtime from outside while it runs."""

import json
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from agentdyno.measure import proc

PERIOD_S = 0.01
"""Between two looks at the runtime's own processes."""

TREE_EVERY = 10
"""Each so many looks, the whole tree is looked at as well: finding it and its PSS cost a hundred times
more.
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look. `t` is CLOCK_MONOTONIC in ns; memory is in KiB; the tree is None in looks that leave it out.

    `peak_rss_kib` and `rss_kib` are sums over the runtime's own processes, those in the process group that it
    was started as; tool children are in groups of their own and count only in `tree_pss_kib`.
    """

    t: int
    peak_rss_kib: int
    rss_kib: int
    cpu_s: float
    threads: int
    tree_pss_kib: int | None
    tree_processes: int | None


class Sampler:
    """A thread that looks every `PERIOD_S` and writes a line per look to `path`."""

    def __init__(self, pid: int, path: Path) -> None:
        self._pid = pid
        self._path = path
        self._own = [pid]
        self._in_group: set[int] = set()
        self._tree = proc.Tree(pid)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="sampler", daemon=True)
        self.latest: Sample | None = None
        self.cpu_s = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        with self._path.open("w", encoding="utf-8") as file:
            due = time.monotonic()
            count = 0
            while not self._stop.is_set():
                sample = self._look(with_tree=count % TREE_EVERY == 0)
                if sample is not None:
                    self.latest = sample
                    file.write(json.dumps(asdict(sample)) + "\n")
                count += 1
                # Deadlines from the start, so that a late look does not shift all later ones.
                due = max(due + PERIOD_S, time.monotonic())
                self._stop.wait(due - time.monotonic())
        self.cpu_s = time.clock_gettime(time.CLOCK_THREAD_CPUTIME_ID)

    def _look(self, *, with_tree: bool) -> Sample | None:
        t = time.monotonic_ns()
        tree_pss: int | None = None
        tree_processes: int | None = None
        if with_tree:
            tree = self._tree.processes()
            in_group = {process.pid for process in tree if process.group == self._pid}
            # A child that is just being made shares the runtime's group, and even its memory, until it has a
            # group of its own; so a process must be there twice in a row to be one of the runtime's own.
            self._own = [self._pid, *sorted((in_group & self._in_group) - {self._pid})]
            self._in_group = in_group
            tree_pss = sum(proc.pss_kib(process.pid) for process in tree)
            tree_processes = len(tree)
        memory = [found for pid in self._own if (found := proc.memory_kib(pid)) is not None]
        own = [process for pid in self._own if (process := proc.read(pid)) is not None]
        if not memory or not own:
            return None
        return Sample(
            t=t,
            peak_rss_kib=sum(peak for peak, _ in memory),
            rss_kib=sum(present for _, present in memory),
            cpu_s=sum(process.own_cpu_s for process in own),
            threads=sum(process.threads for process in own),
            tree_pss_kib=tree_pss,
            tree_processes=tree_processes,
        )
