"""Control groups (cgroups): what they allow this process, and the memory of a whole process tree in one.

Sources: cgroups(7); Documentation/admin-guide/cgroup-v1/memory.rst and cgroup-v2.rst of the kernel.
"""

import contextlib
import errno
import os
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

PROC = Path("/proc")
PEAK_FILES = {1: "memory.max_usage_in_bytes", 2: "memory.peak"}
"""The file with the peak, by version of the interface. Version 2 has it since kernel 5.19."""

QUOTA_FILES = {1: ("cpu.cfs_quota_us", "cpu.cfs_period_us"), 2: ("cpu.max",)}
"""The files with the quota of processor time and its period, by version."""

LIMIT_FILES = {
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes"),
    2: ("memory.max", "memory.current"),
}
"""The files with the limit and with the memory in use, by version; without a limit, version 2 says `max`."""

PATIENCE_S = 1.0
"""How long a group may stay busy after its last member is killed."""
RETRY_S = 0.01


@dataclass(frozen=True, slots=True)
class Place:
    """The group of this process, in the hierarchy that has a given controller.

    `version` is 1 or 2. `mount` is the visible top of the hierarchy. `group` is the group's folder.
    """

    version: int
    mount: Path
    group: Path

    @property
    def lineage(self) -> list[Path]:
        """The group and its visible ancestors."""
        above = [folder for folder in self.group.parents if folder.is_relative_to(self.mount)]
        return [self.group, *above]


def place(controller: str, proc: Path = PROC) -> Place | None:
    """The group of this process in the hierarchy that has `controller`; None when it is not visible.

    `proc` is where proc(5) is mounted. A controller is in one hierarchy only: version 2 has the controllers
    that no hierarchy of version 1 has.
    """
    try:
        memberships = _lines(proc / "self/cgroup")
        mounts = _lines(proc / "self/mountinfo")
    except OSError:
        return None
    paths: dict[str, str] = {}
    for membership in memberships:
        _, controllers, path = membership.split(":", 2)
        paths |= dict.fromkeys(controllers.split(","), path)
    version, name = (1, controller) if controller in paths else (2, "")
    if name not in paths:
        return None
    own = PurePosixPath(paths[name])
    # A later mount covers earlier mounts at the same path.
    for mount in reversed(mounts):
        before, _, after = mount.partition(" - ")
        root, point = (_unescaped(field) for field in before.split(" ")[3:5])
        kind, _, options = after.split(" ", 2)
        shown = kind == "cgroup2" if version == 2 else kind == "cgroup" and name in options.split(",")
        # Perhaps only a part of the hierarchy is mounted, and a namespace may put this process outside it.
        if shown and ".." not in own.parts and own.is_relative_to(root):
            return Place(version, Path(point), Path(point) / own.relative_to(root))
    return None


def cores(proc: Path = PROC) -> int:
    """The processors that this process may use: those of its affinity (taskset(1)), or fewer by the quota of
    its control groups (cpu.max, cpu.cfs_quota_us), as in a container with `--cpus 1`. At least 1.
    """
    allowed = float(len(os.sched_getaffinity(0)))
    own = place("cpu", proc)
    if own is None:
        return int(allowed)
    for group in own.lineage:
        with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
            files = QUOTA_FILES[own.version]
            quota, period = " ".join((group / name).read_text() for name in files).split()
            if float(quota) > 0:  # "max" in version 2 and -1 in version 1 are no quota
                allowed = min(allowed, float(quota) / float(period))
    return max(1, int(allowed))


def free_mib(proc: Path = PROC) -> int | None:
    """Memory in MiB that the limits of the control groups leave; None without a limit."""
    own = place("memory", proc)
    if own is None:
        return None
    left: list[int] = []
    for group in own.lineage:
        limit, used = LIMIT_FILES[own.version]
        with contextlib.suppress(OSError, ValueError):
            left.append(int((group / limit).read_text()) - int((group / used).read_text()))
    return max(0, min(left)) >> 20 if left else None


def _lines(file: Path) -> list[str]:
    """The lines that LF ends: names may contain the other characters at which `str.splitlines` splits."""
    return [line for line in os.fsdecode(file.read_bytes()).split("\n") if line]


def _unescaped(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), field)


class Group:
    """A memory group. A process that writes its pid to `members` joins it, and so do its later children."""

    def __init__(self, folder: Path, version: int) -> None:
        self._folder = folder
        self._peak = folder / PEAK_FILES[version]
        self.members = folder / "cgroup.procs"
        self.method = f"cgroup v{version} {self._peak.name}"
        """The name of the method, which every row with this figure states."""

    def peak_kib(self) -> int:
        """The peak of the memory charged to the group since its creation, in KiB.

        The kernel charges the members' anonymous memory, the page cache (tmpfs included) of files that the
        members read or wrote first, and kernel memory: page tables, stacks, slabs, socket buffers (memory.rst
        2.2.1 and 2.7; cgroup-v2.rst, "Memory Ownership"). A page is charged once, to the group that touched
        the page first, until the page is freed. So the peak is not PSS: unmapped cache and kernel memory
        count, and a library that another group read first does not. The kernel charges batches of pages in
        advance on each processor, so the peaks of small trees are too high.
        """
        return int(self._peak.read_text()) // 1024

    def remove(self) -> None:
        """Remove the group. Raises OSError (EBUSY) when a member is still alive after `PATIENCE_S`."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self._folder.rmdir()
            except OSError as error:  # a killed member needs a moment to leave
                if error.errno != errno.EBUSY or time.monotonic() > deadline:
                    raise
            time.sleep(RETRY_S)


@contextlib.contextmanager
def accounted(proc: Path = PROC) -> Iterator[Group | None]:
    """A memory group below the group of this process, for the length of the block; None when unavailable.

    None means: no memory controller is mounted, the group is not writable, or a new group has no peak. In
    version 2 a new group mostly has none outside the root group: a group that has members, such as this
    process, cannot give its children the memory controller ("No Internal Process Constraint"). All members
    must have ended at the end of the block. If this process is killed, the empty group remains.
    """
    own = place("memory", proc)
    group = None if own is None else _made_below(own)
    try:
        yield group
    finally:
        if group is not None:
            group.remove()


def _made_below(own: Place) -> Group | None:
    try:
        folder = Path(tempfile.mkdtemp(prefix="agentdyno-", dir=own.group))
    except OSError:
        return None
    group = Group(folder, own.version)
    try:
        group.peak_kib()
    except OSError:
        group.remove()
        return None
    return group
