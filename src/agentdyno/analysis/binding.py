"""What gave out first in a run: the resource that its slowest attempts waited for, named from evidence."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from agentdyno.analysis.ledger import OTHERS_DOING, PARTS, Entry
from agentdyno.analysis.run_data import RunData

SLOWEST_SHARE = 0.01
FULL = 0.8
"""From this share on a core counts as full: over windows this short, schedulers and samples are coarse."""

OWN_PARTS = tuple(name for name in PARTS if name not in OTHERS_DOING)
BEGINNING = ("begin", "prompt", "send")
"""The parts that lie between the run's start and the arrival of the request."""

MESSAGES = {
    "open files": ("too many open files", "EMFILE", "os error 24"),
    "ephemeral ports": ("cannot assign requested address", "EADDRNOTAVAIL", "os error 99"),
    "memory": ("cannot allocate memory", "out of memory", "ENOMEM", "os error 12"),
}
"""How runtimes tell of a resource that the kernel refused, whatever their language."""


@dataclass(frozen=True, slots=True)
class Binding:
    """The `part` of the overhead in which the slowest attempts spent most, the cause, and what shows it.

    `is_runtimes` is false where the endpoint or the machine gave out first: a limit found there is not the
    runtime's.
    """

    part: str
    cause: str
    evidence: str
    is_runtimes: bool


@dataclass(frozen=True, slots=True)
class Use:
    """Processor time of runtime and endpoint over a while, in cores."""

    seconds: float
    runtime: float
    endpoint: float


def binding(
    run: RunData, entries: Sequence[Entry], lateness_ms: float | None, limit_ms: float
) -> Binding | None:
    """What bound this run; None where there is nothing to judge by.

    `lateness_ms` is the p99 of the endpoint's lateness, and `limit_ms` what it may be.
    """
    if refused := _refused(run):
        return refused
    if not entries:
        return None
    slowest = sorted(entries, key=lambda entry: entry.overhead)[
        -max(1, round(SLOWEST_SHARE * len(entries))) :
    ]
    spent = {name: sum(getattr(entry.parts, name) for entry in slowest) for name in OWN_PARTS}
    part = max(spent, key=lambda name: spent[name])
    share = spent[part] / max(sum(spent.values()), 1e-9)
    where = f"{share:.0%} of the overhead of the slowest attempts is `{part}`"
    if run.ending.swapped_pages:
        return Binding(part, "memory", f"{where}; {run.ending.swapped_pages} pages were swapped", False)
    if lateness_ms is not None and lateness_ms > limit_ms:
        late = f"its chunks left {lateness_ms:.1f} ms late (p99, limit {limit_ms:.0f} ms)"
        return Binding(part, "endpoint", f"{where}; {late}", False)
    used = _use(run, slowest, beginning=part in BEGINNING)
    if used is None:
        return Binding(part, "unknown", f"{where}; there are no samples of that time", True)
    cores = len(os.sched_getaffinity(0))
    evidence = (
        f"{where}; in those {used.seconds:.2f} s the runtime used {used.runtime:.2f} cores and the endpoint "
        f"{used.endpoint:.2f} of {cores}"
    )
    if part == "send" and used.endpoint >= FULL:
        return Binding(part, "endpoint", evidence, False)
    if used.runtime >= FULL * cores:
        return Binding(part, "CPU of the machine, used by the runtime", evidence, True)
    if used.runtime >= FULL:
        return Binding(part, "CPU of the runtime: one core", evidence, True)
    if used.runtime + used.endpoint >= FULL * cores:
        return Binding(part, "CPU of the machine, shared with the endpoint", evidence, False)
    return Binding(part, "no resource was used up", evidence, True)


def _refused(run: RunData) -> Binding | None:
    """What the kernel refused the runtime, by the reasons of its errors."""
    told = [outcome.reason for outcome in run.events.outcomes if outcome.reason]
    told += [said for said in (run.ending.last_stderr_line, run.ending.problem) if said]
    for cause, messages in MESSAGES.items():
        for reason in told:
            if any(message.lower() in reason.lower() for message in messages):
                return Binding("", cause, f"the runtime says: {reason}", True)
    return None


def _use(run: RunData, slowest: Sequence[Entry], *, beginning: bool) -> Use | None:
    """The processor time used while the slowest attempts waited: for a part of the beginning from the run's
    start until the last of them had begun to be answered, otherwise the whole run.
    """
    t_from, t_to = run.events.t_start, run.events.t_end
    if t_from is None or t_to is None:
        return None
    if beginning:
        waits = [sum(getattr(entry.parts, name) for name in BEGINNING) for entry in slowest]
        t_to = min(t_to, t_from + round(max(waits) * 1e6))
    samples = [sample for sample in run.samples if sample.get("endpoint_cpu_s") is not None]
    if not samples:
        return None
    before = [sample for sample in samples if sample["t"] <= t_from]
    after = [sample for sample in samples if sample["t"] >= t_to]
    first, last = (before or samples)[-1 if before else 0], (after or samples)[0 if after else -1]
    seconds = (last["t"] - first["t"]) / 1e9
    if seconds <= 0:
        return None
    return Use(
        seconds=seconds,
        runtime=(last["cpu_s"] - first["cpu_s"]) / seconds,
        endpoint=(last["endpoint_cpu_s"] - first["endpoint_cpu_s"]) / seconds,
    )
