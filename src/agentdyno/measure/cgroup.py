"""Memory of a whole process tree by a control group (cgroup) of its own.

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
"""Where each version of the interface keeps the peak; version 2 has it from kernel 5.19 on."""

PATIENCE_S = 1.0
"""How long a group may stay busy after its last member was killed."""
RETRY_S = 0.01


@dataclass(frozen=True, slots=True)
class Place:
    """The group that this process is in, in the hierarchy that has a controller.

    `version` is 1 or 2. `mount` is the top of what can be seen of the hierarchy, `group` the group's folder.
    """

    version: int
    mount: Path
    group: Path

    @property
    def lineage(self) -> list[Path]:
        """The group and its ancestors, as far as they can be seen."""
        above = [folder for folder in self.group.parents if folder.is_relative_to(self.mount)]
        return [self.group, *above]


def place(controller: str, proc: Path = PROC) -> Place | None:
    """Where this process is in the hierarchy that has `controller`; None when that cannot be seen.

    `proc` is where proc(5) is mounted. A controller is in one hierarchy only: that of version 2 has those
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
    # The last mount at a place covers those before it.
    for mount in reversed(mounts):
        before, _, after = mount.partition(" - ")
        root, point = (_unescaped(field) for field in before.split(" ")[3:5])
        kind, _, options = after.split(" ", 2)
        shown = kind == "cgroup2" if version == 2 else kind == "cgroup" and name in options.split(",")
        # Only a part of the hierarchy may be mounted, and a namespace may leave us outside of that part.
        if shown and ".." not in own.parts and own.is_relative_to(root):
            return Place(version, Path(point), Path(point) / own.relative_to(root))
    return None


def _lines(file: Path) -> list[str]:
    """Only LF ends a line here; names may hold whatever else `str.splitlines` would split at."""
    return [line for line in os.fsdecode(file.read_bytes()).split("\n") if line]


def _unescaped(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), field)


class Group:
    """A memory group; a process that writes its pid to `members` joins it, with all its later children."""

    def __init__(self, folder: Path, version: int) -> None:
        self._folder = folder
        self._peak = folder / PEAK_FILES[version]
        self.members = folder / "cgroup.procs"
        self.method = f"cgroup v{version} {self._peak.name}"
        """What the figure is, to be named beside it."""

    def peak_kib(self) -> int:
        """The most memory, in KiB, that was charged to the group at any one moment since it was made.

        It holds the members' anonymous memory, the page cache (tmpfs included) of files that they were the
        first to read or write, and kernel memory: page tables, stacks, slabs, socket buffers (memory.rst
        2.2.1 and 2.7; cgroup-v2.rst, "Memory Ownership"). A page is charged once, to the group that touched
        it first, until it is freed. So this is not PSS: cache that nobody maps counts, the kernel's part
        counts, and a library that another group read first does not count at all. The kernel charges ahead
        by a batch of pages on each processor, so small trees read high.
        """
        return int(self._peak.read_text()) // 1024

    def remove(self) -> None:
        """Remove the group. Raises OSError (EBUSY) when it still has a live member after `PATIENCE_S`."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self._folder.rmdir()
            except OSError as error:  # a member that was killed takes a moment to leave
                if error.errno != errno.EBUSY or time.monotonic() > deadline:
                    raise
            time.sleep(RETRY_S)


@contextlib.contextmanager
def accounted(proc: Path = PROC) -> Iterator[Group | None]:
    """A memory group below this process's own for the length of the block; None where none can be had.

    None: no memory controller is mounted, the group cannot be written to, or a new group has no peak. In
    version 2 that is the rule outside the root group: a group with members of its own cannot give its
    children the memory controller ("No Internal Process Constraint"), and this process is a member.
    Everything that joined must have ended when the block is left. Should this process be killed, the empty
    group stays.
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
