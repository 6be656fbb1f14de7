"""The machine of a result, and how it disturbed a run: stolen time, quotas, swapping, heat.

Sources: proc(5), /proc/stat and /proc/vmstat; Documentation/scheduler/sched-bwc.rst and
Documentation/admin-guide/cgroup-v2.rst of the kernel for cpu.stat.
"""

import os
import platform
import re
import resource
import subprocess
import sys
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from agentdyno import __version__
from agentdyno.measure import cgroup
from agentdyno.project import ROOT

LIBRARIES = ("aiohttp", "httptools", "uvloop", "scipy")


def environment(verifiers: Sequence[Mapping[str, str]] = ()) -> dict[str, Any]:
    """What a reader needs to know of this machine to judge or repeat a figure; memory in MiB.

    Each of `verifiers` holds a verifier's name and the versions of its programs.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return {
        **machine(),
        "memory_available_mib": _meminfo("MemAvailable"),
        "swap_mib": _meminfo("SwapTotal"),
        "load_average": list(os.getloadavg()),
        "open_files": {"soft": soft, "hard": hard},
        "virtualised": "hypervisor" in _cpu_flags(),
        "python": sys.version.split()[0],
        "verifiers": [dict(verifier) for verifier in verifiers],
        "agentdyno": __version__,
        "libraries": {name: metadata.version(name) for name in LIBRARIES},
        **_git(),
    }


def machine() -> dict[str, Any]:
    """What stays the same for all experiments on one machine; memory in MiB."""
    return {
        "cpu": _cpu_model(),
        "cpus": cgroup.cores(),
        "architecture": platform.machine(),
        "kernel": platform.release(),
        "system": _system(),
        "memory_mib": _meminfo("MemTotal"),
        "transparent_huge_pages": _transparent_huge_pages(),
    }


def commit() -> str | None:
    """The commit of this checkout; None outside a checkout."""
    found: str | None = _git()["git_commit"]
    return found


def available_mib() -> int:
    """Memory in MiB available without swapping, as the kernel estimates it (proc(5), MemAvailable), or less
    where a control group has a limit.
    """
    limited = cgroup.free_mib()
    free = _meminfo("MemAvailable")
    return free if limited is None else min(free, limited)


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _cpu_flags() -> list[str]:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("flags"):
            return line.partition(":")[2].split()
    return []


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _transparent_huge_pages() -> str | None:
    """When the kernel gives programs huge pages unasked: always, madvise or never; None where it has none.

    Huge pages decide how much memory a runtime takes (Documentation/admin-guide/mm/transhuge.rst).
    """
    chosen = re.search(r"\[(\w+)\]", _text(SYS / "kernel/mm/transparent_hugepage/enabled"))
    return chosen[1] if chosen else None


def _meminfo(field: str) -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) // 1024
    return 0


def _git() -> dict[str, Any]:
    """The commit, and whether the work tree differs from the commit; None outside a checkout."""

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", str(ROOT), *words],
                capture_output=True,
                text=True,
                start_new_session=True,  # A Ctrl-C is for agentdyno, which ends in order.
            )
        except OSError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    status = git("status", "--porcelain")
    return {"git_commit": git("rev-parse", "HEAD"), "git_dirty": None if status is None else bool(status)}


SYS = Path("/sys")
THROTTLED = {"throttled_time": 1, "throttled_usec": 1_000}
"""The field of cpu.stat in version 1 and in version 2, with its unit in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Disturbances:
    """What happened since a baseline; None where the machine has no such counter.

    `steal_share` is the share of the time of all processors that the hypervisor gave to other guests.
    `throttled_s` is how long a quota stopped run queues of this process's cgroup or of an ancestor, summed
    over processors; 0 without a quota. `swapped_pages` counts pages written to or read from swap.
    `thermal_throttles` counts how often heat slowed a processor down.
    """

    steal_share: float | None
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
        since = grown(self._before, now)
        steal = since.get("steal")
        total = sum(since.get(name, 0) for name in ("busy", "idle", "steal"))
        throttled = since.get("throttled")
        return Disturbances(
            steal_share=steal / total if steal is not None and total else None,
            throttled_s=None if throttled is None else throttled / 1e9,
            swapped_pages=since.get("swapped"),
            thermal_throttles=since.get("thermal"),
        )


def _counters(proc: Path, sys: Path) -> dict[str, int]:
    return processors(proc) | _throttled(proc) | _swapped(proc) | _thermal(sys)


def grown(before: Mapping[str, int], now: Mapping[str, int]) -> dict[str, int]:
    """By how much each counter grew. The kernel's idle times sometimes decrease."""
    return {name: max(0, now[name] - before[name]) for name in now.keys() & before.keys()}


def processors(proc: Path, names: Container[str] = ("cpu",)) -> dict[str, int]:
    """Clock ticks since boot of the processors with these names (`cpu0`), by default of all together: busy,
    idle, and stolen by the hypervisor. Empty where the machine does not tell. The time of user includes that
    of guests.
    """
    ticks: Counter[str] = Counter()
    for line in _text(proc / "stat").splitlines():
        name, *words = line.split() or [""]
        if name in names and len(words) >= 8:
            user, nice, system, idle, iowait, irq, softirq, steal = map(int, words[:8])
            ticks.update(busy=user + nice + system + irq + softirq, idle=idle + iowait, steal=steal)
    return dict(ticks)


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
