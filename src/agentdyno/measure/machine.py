"""What the machine did to a run: processor time taken from it, swapping, heat.

Sources: proc(5), /proc/stat and /proc/vmstat; Documentation/scheduler/sched-bwc.rst and
Documentation/admin-guide/cgroup-v2.rst of the kernel for cpu.stat.
"""

from dataclasses import dataclass
from pathlib import Path

from agentdyno.measure import cgroup

SYS = Path("/sys")
THROTTLED = {"throttled_time": 1, "throttled_usec": 1_000}
"""The field of cpu.stat, in version 1 and in version 2, and its unit in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Disturbances:
    """What happened since a baseline; None is what this machine does not tell.

    `steal_share` and `busy_share` are of the time of all processors: what the hypervisor gave to others, and
    what was spent on work of any kind here. `throttled_s` is how long a quota kept run queues of this
    process's cgroup, or of one above it, from running, added up over processors; 0 without a quota.
    `swapped_pages` were written to or read from swap. `thermal_throttles` counts, over all processors, how
    often one was slowed down for heat.
    """

    steal_share: float | None
    busy_share: float | None
    throttled_s: float | None
    swapped_pages: int | None
    thermal_throttles: int | None


class Baseline:
    """The machine's counters as they are now; `disturbances` says what has been added since."""

    def __init__(self, proc: Path = cgroup.PROC, sys: Path = SYS) -> None:
        """`proc` and `sys` are where proc(5) and sysfs(5) are mounted."""
        self._proc = proc
        self._sys = sys
        self._before = _counters(proc, sys)

    def disturbances(self) -> Disturbances:
        """What the machine did since this baseline was taken."""
        now = _counters(self._proc, self._sys)
        # The kernel lets idle times run backwards at times.
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
    """Clock ticks of all processors. Time of guests is within that of user."""
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
    """Lines of a name and a number."""
    return {name: int(value) for name, value in (line.split() for line in _text(file).splitlines())}


def _text(file: Path) -> str:
    """What the file says, nothing if this machine does not have it."""
    try:
        return file.read_text()
    except OSError:
        return ""
