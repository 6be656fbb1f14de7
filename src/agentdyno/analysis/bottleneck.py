"""The bottleneck of a run: the resource that limited its slowest attempts, named only from evidence.

The evidence is the utilisation of the processors while attempts waited, and the errors of the kernel.
"""

import heapq
import itertools
import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from agentdyno.analysis.ledger import NOT_OVERHEAD, NS_PER_MS, PARTS, Entry
from agentdyno.analysis.slots import Span
from agentdyno.rundata.raw_run import RawRun

LEAST_SAMPLES = 3
"""Waits with fewer samples are too short to separate their utilisation from that before and after."""


@dataclass(frozen=True, slots=True)
class Utilisation:
    """Mean utilisation over the waits, in cores; `cores` is how many exist, `threads` the runtime's maximum.

    `tools` is an estimate: test processes are not sampled, so each one alive counts with the average of all.
    """

    runtime: float
    endpoint: float
    tools: float
    cores: int
    threads: int

    @property
    def total(self) -> float:
        """The sum, in cores."""
        return self.runtime + self.endpoint + self.tools


@dataclass(slots=True)
class _Curve:
    """A growing quantity, known at some moments and interpolated linearly between them."""

    times: Sequence[int]
    values: Sequence[float]

    def at(self, t: int) -> float:
        after = bisect_left(self.times, t)
        if after == 0:
            return self.values[0]
        if after == len(self.times):
            return self.values[-1]
        t_0, t_1 = self.times[after - 1], self.times[after]
        before, grown = self.values[after - 1], self.values[after] - self.values[after - 1]
        return before + grown * (t - t_0) / (t_1 - t_0)

    def over(self, spans: Sequence[Span]) -> float:
        """The growth in the spans; where spans overlap, the growth counts once for each."""
        return sum(self.at(end) - self.at(begin) for begin, end in spans)


def span(entry: Entry, part: str) -> Span:
    """The span of `part` in an attempt; the parts follow each other."""
    before = sum(getattr(entry.parts, name) for name in PARTS[: PARTS.index(part)])
    begin = entry.t_end - round((entry.wall - before) * NS_PER_MS)
    return begin, begin + round(getattr(entry.parts, part) * NS_PER_MS)


def utilisation(run: RawRun, spans: Sequence[Span]) -> Utilisation | None:
    """The utilisation in `spans`; None with too few samples."""
    times, own_s, endpoint_s, threads = array("q"), array("d"), array("d"), 0
    for sample in run.samples:
        if sample.endpoint_cpu_s is not None:
            times.append(sample.t)
            own_s.append(sample.cpu_s)
            endpoint_s.append(sample.endpoint_cpu_s)
            threads = max(threads, sample.threads)
    looks = {
        look for begin, end in spans for look in range(bisect_left(times, begin), bisect_right(times, end))
    }
    if len(looks) < LEAST_SAMPLES:
        return None
    seconds = sum(end - begin for begin, end in spans) / 1e9
    return Utilisation(
        runtime=_Curve(times, own_s).over(spans) / seconds,
        endpoint=_Curve(times, endpoint_s).over(spans) / seconds,
        tools=_tools(run, spans) / seconds,
        cores=run.outcome.cores,
        threads=threads,
    )


def _tools(run: RawRun, spans: Sequence[Span]) -> float:
    """An estimate of the processor time in seconds that test processes used in `spans`."""
    begun, ended = array("q"), array("q")
    for started, exited in run.events.attempts.of("t_started", "t_exit"):
        if started is not None and exited is not None:
            begun.append(started)
            ended.append(exited)
    if not begun or not run.outcome.tools_cpu_s:
        return 0.0
    times, lived = array("q"), array("d")
    alive, total, since = 0, 0.0, 0
    for t, change in heapq.merge(((t, 1) for t in sorted(begun)), ((t, -1) for t in sorted(ended))):
        total += alive * (t - since)
        alive, since = alive + change, t
        times.append(t)
        lived.append(total)
    return run.outcome.tools_cpu_s * _Curve(times, lived).over(spans) / total if total else 0.0


SLOWEST_SHARE = 0.01
FULL = 0.8
"""A core counts as full from this utilisation on: schedulers and samples are coarse over short windows."""
ONE_CORE = 1.2
"""Up to this many cores, one busy thread may limit a program. A program that uses three cores of sixteen is
not limited by one thread.
"""

OWN_PARTS = tuple(name for name in PARTS if name not in NOT_OVERHEAD)

UNKNOWN = "unknown"
NOTHING = "no resource was used up"

KERNEL_ERRORS = {
    "open files of the whole machine": r"too many open files in system|\bENFILE\b|\bos error 23\b",
    "open files": r"too many open files|no file descriptors available|\bEMFILE\b|\bos error 24\b",
    "ephemeral ports": r"cannot assign requested address|address not available|\bEADDRNOTAVAIL\b"
    r"|\bos error 99\b",
    "threads or processes": r"can't start new thread|failed to (spawn|create new os) thread"
    r"|(thread|fork|spawn|clone|exec)\b.*(resource temporarily unavailable|\bEAGAIN\b|\bos error 11\b)",
    "memory": r"cannot allocate memory|out of memory|\bMemoryError\b|\bbad_alloc\b|\bENOMEM\b"
    r"|memory allocation of \d+ bytes failed|\bos error 12\b",
}
"""Patterns of the error texts of all languages and C libraries, by the resource that the kernel denied."""
OF_THE_MACHINE = ("open files of the whole machine", "ephemeral ports")
"""Resources that no runtime can avoid to use: each agent's connection takes one port."""

QUOTED = re.compile(
    r"\bendpoint (answered|reports)\b|\bstatus (code )?\d{3}\b|\bHTTP(/[\d.]+)? \d{3}\b", re.IGNORECASE
)
"""A text that matches may quote an error of the endpoint, whose resources are not the runtime's."""


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """The `part` of the overhead in which the slowest attempts spent most time, its cause and the evidence.

    `part` is empty where another source than the ledger shows the cause. `is_runtimes` is false where the
    endpoint or the machine is the bottleneck, so that the capacity found is not the runtime's.
    """

    part: str
    cause: str
    evidence: str
    is_runtimes: bool


def bottleneck(
    run: RawRun, entries: Sequence[Entry], lateness_ms: float | None, limit_ms: float
) -> Bottleneck | None:
    """The bottleneck of this run; None without evidence.

    `lateness_ms` is the p99 of the endpoint's lateness in ms, and `limit_ms` the largest accepted value.
    """
    if found := _denied(run) or _crashed(run):
        return found
    if not entries:
        return None
    count = max(1, round(SLOWEST_SHARE * len(entries)))
    by_overhead = zip((entry.overhead for entry in entries), itertools.count(), strict=False)
    slowest = [entries[at] for _, at in reversed(heapq.nlargest(count, by_overhead))]
    spent = {name: sum(getattr(entry.parts, name) for entry in slowest) for name in OWN_PARTS}
    part = max(spent, key=lambda name: spent[name])
    share = spent[part] / max(sum(spent.values()), 1e-9)
    where = (
        f"{share:.0%} of the overhead of the slowest attempts is `{part}`, {spent[part] / count:.1f} ms each"
    )
    if run.outcome.swapped_pages:
        return Bottleneck(part, "memory", f"{where}; {run.outcome.swapped_pages} pages were swapped", False)
    used = utilisation(run, [span(entry, part) for entry in slowest])
    if used is not None and used.runtime >= FULL * used.cores:
        return Bottleneck(part, "CPU of the machine, used by the runtime", f"{where}; {_shown(used)}", True)
    if lateness_ms is not None and lateness_ms > limit_ms:
        late = f"the endpoint was late, p99 {lateness_ms:.1f} ms (limit {limit_ms:.0f} ms)"
        return Bottleneck(part, "the endpoint", f"{where}; {late}", False)
    if used is None:
        return Bottleneck(part, UNKNOWN, f"{where}; too few samples fall into that time", True)
    cause, is_runtimes = _used_up(part, used)
    return Bottleneck(part, cause, f"{where}; {_shown(used)}", is_runtimes)


def _used_up(part: str, used: Utilisation) -> tuple[str, bool]:
    """Which cores were full, if any, and whether the runtime itself filled them."""
    machine_is_full = used.total >= FULL * used.cores
    # The endpoint is one thread: it accepts connections, which belong to `prompt`, and reads requests.
    if used.endpoint >= FULL and (part == "send" or (part == "prompt" and used.runtime < FULL)):
        return "the endpoint: its one core", False
    if FULL <= used.runtime <= ONE_CORE and used.threads == 1:
        return "CPU of the runtime: one core", True
    # On a full machine, other programs may have delayed several threads that together use about one core.
    if FULL <= used.runtime <= ONE_CORE and not machine_is_full:
        return f"CPU of the runtime: one core, if a single one of its {used.threads} threads used it", True
    if machine_is_full:
        return "CPU of the machine, shared with the endpoint and the test processes", False
    return NOTHING, True


def _shown(used: Utilisation) -> str:
    return (
        f"meanwhile the runtime used {used.runtime:.2f} cores, the endpoint {used.endpoint:.2f} and the test "
        f"processes about {used.tools:.2f}, of {used.cores} cores"
    )


def _denied(run: RawRun) -> Bottleneck | None:
    """The resource that the kernel denied to the runtime, from the texts of the runtime's errors."""
    texts = [outcome.reason for outcome in run.events.outcomes if outcome.reason]
    texts += [text for text in (run.outcome.last_stderr_line, run.outcome.problem) if text]
    for cause, pattern in KERNEL_ERRORS.items():
        for text in texts:
            if re.search(pattern, text, re.IGNORECASE) and not QUOTED.search(text):
                return Bottleneck("", cause, f"the runtime reports: {text}", cause not in OF_THE_MACHINE)
    return None


def _crashed(run: RawRun) -> Bottleneck | None:
    """A crash is the bottleneck, whatever the ledger of the earlier attempts shows."""
    code = run.outcome.exit_code
    if run.outcome.problem is not None or code is None or code == 0:
        return None
    how = f"signal {-code}" if code < 0 else f"status {code}"
    return Bottleneck("", "the runtime itself", f"the runtime ended with {how}", True)
