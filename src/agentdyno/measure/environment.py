"""The machine and the programs that a result was measured with."""

import os
import platform
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from agentdyno import __version__
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
        "cpus": len(os.sched_getaffinity(0)),
        "architecture": platform.machine(),
        "kernel": platform.release(),
        "system": _system(),
        "memory_mib": _meminfo("MemTotal"),
    }


def commit() -> str | None:
    """The commit of this checkout; None outside a checkout."""
    found: str | None = _git()["git_commit"]
    return found


def available_mib() -> int:
    """Memory in MiB available without swapping, as the kernel estimates it (proc(5), MemAvailable)."""
    return _meminfo("MemAvailable")


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


def _meminfo(field: str) -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) // 1024
    return 0


def _git() -> dict[str, Any]:
    """The commit, and whether the work tree differs from the commit; None outside a checkout."""

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True)
        except OSError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    status = git("status", "--porcelain")
    return {"git_commit": git("rev-parse", "HEAD"), "git_dirty": None if status is None else bool(status)}
