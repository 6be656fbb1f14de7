"""How the machine disturbed a run: stolen processor time, quotas, swapping, heat.

Sources: proc(5), /proc/stat and /proc/vmstat; Documentation/scheduler/sched-bwc.rst and
Documentation/admin-guide/cgroup-v2.rst of the kernel for cpu.stat.
"""

from dataclasses import dataclass
from pathlib import Path

from agentdyno.measure import cgroup

SYS = Path("/sys")
THROTTLED = {"throttled_time": 1, "throttled_usec": 1_000}
"""The field of cpu.stat in version 1 and in version 2, with its unit in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Disturbances:
    """What happened since a baseline; None where the machine has no such counter.

    `steal_share` and `busy_share` are shares of the time of all processors: what the hypervisor gave to other
    guests, and what this machine spent on any work. `throttled_s` is how long a quota stopped run queues of
    this process's cgroup or of an ancestor, summed over processors; 0 without a quota. `swapped_pages` counts
    pages written to or read from swap. `thermal_throttles` counts how often heat slowed a processor down.
    """

    steal_share: float | None
    busy_share: float | None
    throttled_s: float | None
    swapped_pages: int | None
    thermal_throttles: int | None


class Baseline:
    """The machine's counters at one moment; `disturbances` says how they grew since."""

    def __init__(self, proc: Path = cgroup.PROC, sys: Path = SYS) -> None:
        """`proc` and `sys` are where proc(5) and sysfs(5) are mounted."""
        self._proc = proc
        self._sys = sys
        self._before = _counters(proc, sys)

    def disturbances(self) -> Disturbances:
        """What happened since this baseline."""
        now = _counters(self._proc, self._sys)
        # The kernel's idle times sometimes decrease.
        since = {name: max(0, now[name] - self._before[name]) for name in now.keys() & self._before.keys()}
        busy, steal = since.get("busy"), since.get("steal")
        total = sum(since.get(name, 0) for name in ("busy", "idle", "steal"))
        throttled = since.get("throttled")
        return Disturbances(
            steal_share=steal / total if steal is not None and total else None,
            busy_share=busy / total if busy is not None and total else None,
            throttled_s=None if throttled is None else throttled / 1e9,
            swapped_pages=since.get("swapped"),
            thermal_throttles=since.get("thermal"),
        )


def _counters(proc: Path, sys: Path) -> dict[str, int]:
    return _processors(proc) | _throttled(proc) | _swapped(proc) | _thermal(sys)


def _processors(proc: Path) -> dict[str, int]:
    """Clock ticks of all processors. The time of user includes that of guests."""
    words = _text(proc / "stat").partition("\n")[0].split()
    if len(words) < 9 or words[0] != "cpu":
        return {}
    user, nice, system, idle, iowait, irq, softirq, steal = map(int, words[1:9])
    return {"busy": user + nice + system + irq + softirq, "idle": idle + iowait, "steal": steal}


def _throttled(proc: Path) -> dict[str, int]:
    own = cgroup.place("cpu", proc)
    if own is None:
        return {}
    stats = [_fields(folder / "cpu.stat") for folder in own.lineage]
    return {"throttled": sum(stat.get(name, 0) * unit for stat in stats for name, unit in THROTTLED.items())}


def _swapped(proc: Path) -> dict[str, int]:
    pages = _fields(proc / "vmstat")
    if "pswpin" not in pages or "pswpout" not in pages:
        return {}
    return {"swapped": pages["pswpin"] + pages["pswpout"]}


def _thermal(sys: Path) -> dict[str, int]:
    counts = list(sys.glob("devices/system/cpu/cpu[0-9]*/thermal_throttle/core_throttle_count"))
    return {"thermal": sum(int(count.read_text()) for count in counts)} if counts else {}


def _fields(file: Path) -> dict[str, int]:
    """The numbers by name, one pair a line."""
    return {name: int(value) for name, value in (line.split() for line in _text(file).splitlines())}


def _text(file: Path) -> str:
    """The file's text; empty if this machine does not have the file."""
    try:
        return file.read_text()
    except OSError:
        return ""
