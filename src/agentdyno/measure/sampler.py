"""Samples a running runtime from outside."""

import contextlib
import json
import os
import threading
import time
from collections.abc import Container, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Self

from agentdyno.measure import proc
from agentdyno.measure.tree import Tree, Verifications

PERIOD_S = 0.015
"""Between two samples of the runtime's own processes."""

TREE_EVERY = 10
"""Every so many samples include the whole tree, because its processes and PSS cost a hundred times more."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample. `t` is CLOCK_MONOTONIC in ns, memory is in KiB, and the tree is None in samples without it.

    `peak_rss_kib` and `rss_kib` are sums over the runtime's own processes: all that it started but those
    below a verifier. `tools_pss_kib` is the sum over those, and `tree_pss_kib` is the sum over all. `cpu_s`
    includes ended own processes at their last sampled values.
    `endpoint_cpu_s` is the endpoint's processor time so far, None when the endpoint is unknown or gone.
    """

    t: int
    peak_rss_kib: int
    rss_kib: int
    cpu_s: float
    threads: int
    tree_pss_kib: int | None
    tree_processes: int | None
    tools_pss_kib: int | None = None
    endpoint_cpu_s: float | None = None

    def line(self) -> str:
        """The sample as a line of JSON. (`dataclasses.asdict` makes deep copies and is ten times slower.)"""
        return json.dumps({field: getattr(self, field) for field in _FIELDS}) + "\n"


_FIELDS = [field.name for field in fields(Sample)]


class Sampler:
    """A thread that takes a sample every `PERIOD_S` and writes a line for each to `path`.

    `verifier` is the program that every verification begins with. Without one, what is in the process group
    of the runtime's leader is the runtime's own. `beside` are the children of this process that have nothing
    to do with the runtime. `peaks_reset` counts the times that a high-water mark fell, which nothing does but
    a write to `/proc/PID/clear_refs`.
    """

    def __init__(
        self,
        pid: int,
        path: Path,
        endpoint_pid: int | None = None,
        verifier: Path | None = None,
        beside: Container[int] | None = None,
    ) -> None:
        self._pid = pid
        self._path = path
        self._endpoint_pid = endpoint_pid
        self._own: dict[int, proc.Watched] = {}
        self._cpu_s_of: dict[int, float] = {}
        self._adopted: set[int] = set()
        self._peaks: dict[tuple[int, int], int] = {}
        self._error: OSError | None = None
        self._tree = Tree(pid, beside)
        self._verifications = None if verifier is None else Verifications(verifier)
        self.peaks_reset = 0
        self.samples = 0
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
        if self._error is not None and error is None:
            raise self._error

    @property
    def workers_cpu_s(self) -> float:
        """Processor time of the runtime's own processes without its leader, at their last sampled values."""
        return sum(cpu_s for pid, cpu_s in self._cpu_s_of.items() if pid != self._pid)

    @property
    def orphans_cpu_s(self) -> float:
        """The part of it that the leader cannot have reaped, because this process adopted its workers."""
        return sum(cpu_s for pid, cpu_s in self._cpu_s_of.items() if pid in self._adopted)

    def _sample(self) -> None:
        try:
            self._look_and_write()
        except OSError as error:  # such as a full disk; `__exit__` raises it
            self._error = OSError(error.errno, error.strerror, str(self._path))
        for watched in self._own.values():
            watched.close()
        self.cpu_s = time.clock_gettime(time.CLOCK_THREAD_CPUTIME_ID)

    def _look_and_write(self) -> None:
        with self._path.open("w", encoding="utf-8") as file:
            due = time.monotonic()
            count = 0
            while not self._stop.is_set():
                sample = self._look(with_tree=count % TREE_EVERY == 0)
                if sample is not None:
                    self.latest = sample
                    self.samples += 1
                    file.write(sample.line())
                count += 1
                # Deadlines count from the start, so that a late sample does not delay all later ones.
                due = max(due + PERIOD_S, time.monotonic())
                self._stop.wait(due - time.monotonic())

    def _look(self, *, with_tree: bool) -> Sample | None:
        t = time.monotonic_ns()
        tree_pss: int | None = None
        tree_processes: int | None = None
        tools_pss: int | None = None
        if with_tree:
            tree = self._tree.processes()
            own = {process.pid for process in tree} - self._tools(tree)
            self._adopted |= {process.pid for process in tree if process.parent == os.getpid()} - {self._pid}
            self._watch(own)
            pss = {process.pid: proc.pss_kib(process.pid) for process in tree}
            tree_pss = sum(pss.values())
            tree_processes = len(tree)
            tools_pss = sum(pss[pid] for pid in pss.keys() - own)
        looks = [look for watched in self._own.values() if (look := watched.look()) is not None]
        if not looks:
            return None
        for process, memory in looks:
            self._check_peak(process, memory)
            if (cpu_s := proc.cpu_s(process.pid)) is not None:
                self._cpu_s_of[process.pid] = cpu_s
        endpoint_cpu_s = None if self._endpoint_pid is None else proc.cpu_s(self._endpoint_pid)
        return Sample(
            t=t,
            peak_rss_kib=sum(memory.peak_kib for _, memory in looks),
            rss_kib=sum(memory.present_kib for _, memory in looks),
            cpu_s=round(sum(self._cpu_s_of.values()), 6),
            threads=sum(process.threads for process, _ in looks),
            tree_pss_kib=tree_pss,
            tree_processes=tree_processes,
            tools_pss_kib=tools_pss,
            endpoint_cpu_s=None if endpoint_cpu_s is None else round(endpoint_cpu_s, 6),
        )

    def _tools(self, tree: Sequence[proc.Process]) -> set[int]:
        """The pids of the tests, and of what they started."""
        if self._verifications is not None:
            return self._verifications.among(tree)
        return {process.pid for process in tree if process.group != self._pid}

    def _check_peak(self, process: proc.Process, memory: proc.Memory) -> None:
        """Note a high-water mark that fell by more than its counter errs; a new program has a new one."""
        program = process.pid, process.arguments_at
        before = self._peaks.get(program, 0)
        if memory.peak_kib < before - 2 * proc.counter_error_kib(os.cpu_count() or 1):
            self.peaks_reset += 1
        self._peaks[program] = memory.peak_kib

    def _watch(self, own: set[int]) -> None:
        """Watch the runtime's own processes, and always its leader, even if the tree is empty."""
        own = own | {self._pid}
        for pid in self._own.keys() - own:
            self._own.pop(pid).close()
        for pid in own - self._own.keys():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                self._own[pid] = proc.Watched(pid)
