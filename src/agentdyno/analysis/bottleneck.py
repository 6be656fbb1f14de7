"""What gave out first in a run: the resource that its slowest attempts waited for, named from evidence."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agentdyno.analysis.ledger import NOT_OVERHEAD, PARTS, Entry
from agentdyno.analysis.utilisation import Utilisation, span, utilisation
from agentdyno.rundata.raw_run import RawRun

SLOWEST_SHARE = 0.01
FULL = 0.8
"""From this share on a core counts as full: over windows this short, schedulers and samples are coarse."""
ONE_CORE = 1.2
"""Up to so many cores a program counts as one busy thread with some that do little: who uses three of sixteen
is not held up by one.
"""

OWN_PARTS = tuple(name for name in PARTS if name not in NOT_OVERHEAD)

UNKNOWN = "unknown"
NOTHING = "no resource was used up"

REFUSALS = {
    "open files of the whole machine": r"too many open files in system|\bENFILE\b|\bos error 23\b",
    "open files": r"too many open files|no file descriptors available|\bEMFILE\b|\bos error 24\b",
    "ephemeral ports": r"cannot assign requested address|address not available|\bEADDRNOTAVAIL\b"
    r"|\bos error 99\b",
    "threads or processes": r"can't start new thread|failed to (spawn|create new os) thread"
    r"|(thread|fork|spawn|clone|exec)\b.*(resource temporarily unavailable|\bEAGAIN\b|\bos error 11\b)",
    "memory": r"cannot allocate memory|out of memory|\bMemoryError\b|\bbad_alloc\b|\bENOMEM\b"
    r"|memory allocation of \d+ bytes failed|\bos error 12\b",
}
"""How runtimes tell of a resource that the kernel refused, whatever their language and C library."""
OF_THE_MACHINE = ("open files of the whole machine", "ephemeral ports")
"""Those that a runtime cannot do without: a connection an agent takes a port each."""

QUOTED = re.compile(
    r"\bendpoint (answered|reports)\b|\bstatus (code )?\d{3}\b|\bHTTP(/[\d.]+)? \d{3}\b", re.IGNORECASE
)
"""An error with these words may quote the endpoint, whose resources are not the runtime's."""


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """The `part` of the overhead in which the slowest attempts spent most, the cause, and what shows it.

    `part` is empty where the cause is not known from it. `is_runtimes` is false where the endpoint or the
    machine gave out first: a limit found there is not the runtime's.
    """

    part: str
    cause: str
    evidence: str
    is_runtimes: bool


def bottleneck(
    run: RawRun, entries: Sequence[Entry], lateness_ms: float | None, limit_ms: float
) -> Bottleneck | None:
    """What bound this run; None where there is nothing to judge by.

    `lateness_ms` is the p99 of the endpoint's lateness, and `limit_ms` what it may be.
    """
    if found := _refused(run) or _crashed(run):
        return found
    if not entries:
        return None
    count = max(1, round(SLOWEST_SHARE * len(entries)))
    slowest = sorted(entries, key=lambda entry: entry.overhead)[-count:]
    spent = {name: sum(getattr(entry.parts, name) for entry in slowest) for name in OWN_PARTS}
    part = max(spent, key=lambda name: spent[name])
    share = spent[part] / max(sum(spent.values()), 1e-9)
    where = (
        f"{share:.0%} of the overhead of the slowest attempts is `{part}`, {spent[part] / count:.1f} ms each"
    )
    if run.outcome.swapped_pages:
        return Bottleneck(part, "memory", f"{where}; {run.outcome.swapped_pages} pages were swapped", False)
    ends = {(attempt.task, attempt.attempt): attempt.t_end for attempt in run.events.attempts}
    used = utilisation(run, [span(entry, part, ends[entry.task, entry.attempt]) for entry in slowest])
    if used is not None and used.runtime >= FULL * used.cores:
        return Bottleneck(part, "CPU of the machine, used by the runtime", f"{where}; {_shown(used)}", True)
    if lateness_ms is not None and lateness_ms > limit_ms:
        late = f"its chunks left {lateness_ms:.1f} ms late (p99, limit {limit_ms:.0f} ms)"
        return Bottleneck(part, "the endpoint", f"{where}; {late}", False)
    if used is None:
        return Bottleneck(part, UNKNOWN, f"{where}; there are too few samples of that time", True)
    cause, is_runtimes = _used_up(part, used)
    return Bottleneck(part, cause, f"{where}; {_shown(used)}", is_runtimes)


def _used_up(part: str, used: Utilisation) -> tuple[str, bool]:
    """Which processor time was used up, if any, and whether by the runtime's own doing."""
    machine_is_full = used.total >= FULL * used.cores
    # The endpoint is one thread. It accepts connections, which are made in `prompt`, and reads requests.
    if used.endpoint >= FULL and (part == "send" or (part == "prompt" and used.runtime < FULL)):
        return "the endpoint: its one core", False
    if FULL <= used.runtime <= ONE_CORE and used.threads == 1:
        return "CPU of the runtime: one core", True
    # Several threads that together use about one core of a full machine may have been held up by the others.
    if FULL <= used.runtime <= ONE_CORE and not machine_is_full:
        return f"CPU of the runtime: one core, if a single one of its {used.threads} threads used it", True
    if machine_is_full:
        return "CPU of the machine, shared with the endpoint and the test processes", False
    return NOTHING, True


def _shown(used: Utilisation) -> str:
    return (
        f"meanwhile the runtime used {used.runtime:.2f} cores, the endpoint {used.endpoint:.2f} and the test "
        f"processes about {used.tools:.2f}, of {used.cores}"
    )


def _refused(run: RawRun) -> Bottleneck | None:
    """What the kernel refused the runtime, by the reasons of its errors."""
    told = [outcome.reason for outcome in run.events.outcomes if outcome.reason]
    told += [said for said in (run.outcome.last_stderr_line, run.outcome.problem) if said]
    for cause, pattern in REFUSALS.items():
        for reason in told:
            if re.search(pattern, reason, re.IGNORECASE) and not QUOTED.search(reason):
                return Bottleneck("", cause, f"the runtime says: {reason}", cause not in OF_THE_MACHINE)
    return None


def _crashed(run: RawRun) -> Bottleneck | None:
    """Who has crashed was not slow, whatever the attempts that it had made until then say."""
    code = run.outcome.exit_code
    if run.outcome.problem is not None or code is None or code == 0:
        return None
    how = f"signal {-code}" if code < 0 else f"status {code}"
    return Bottleneck("", "the runtime itself", f"it ended with {how}", True)
