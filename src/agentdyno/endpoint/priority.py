"""The endpoint's share of the processors when there is not enough for everybody."""

import contextlib
import os
from pathlib import Path

PRIORITY = -10
"""The endpoint's niceness where this is allowed. Test processes fill the cores, and an instrument that waits
for them is late; all runtimes are served alike, and the lateness in the journal shows whether it helped.
"""


def prefer(pid: int, niceness: int = PRIORITY) -> int:
    """Give the endpoint `niceness`, where that is allowed; the niceness that counts after that is returned.

    A process's own niceness counts only within its session where the kernel groups sessions, and the endpoint
    leads one of its own: there it is the group's niceness that counts (sched(7), "The autogroup feature").
    """
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, pid, niceness)
    group = Path(f"/proc/{pid}/autogroup")
    # EAGAIN, too: without CAP_SYS_ADMIN it can be changed ten times a second on the whole machine.
    with contextlib.suppress(FileNotFoundError, PermissionError, BlockingIOError):
        group.write_text(str(niceness))
    own = os.getpriority(os.PRIO_PROCESS, pid)
    return own if not _groups_sessions() else int(group.read_text().split()[-1])


def _groups_sessions() -> bool:
    try:
        return Path("/proc/sys/kernel/sched_autogroup_enabled").read_text().strip() == "1"
    except OSError:
        return False
