"""The limit on open files, the first limit that a run with many agents reaches."""

import fcntl
import os
import resource

from agentdyno.errors import UserError

SPARE = 64
"""Open files other than connections and pipes: libraries, logs, files of the event loop."""

MOST_RESERVED = 65_536
"""The largest table of descriptors to reserve, at 8 bytes a descriptor, whatever the limit."""


def open_files_needed(agents: int, slots: int, *, relayed: bool) -> int:
    """How many files one process of a run may have open at once.

    Each agent needs one connection, or two in an endpoint that relays to a real one. Each slot needs pipes
    and a pidfd.
    """
    return (2 if relayed else 1) * agents + 3 * slots + SPARE


def most_agents(slots: int, *, relayed: bool) -> int | None:
    """The largest number of agents that the hard limit allows; None where there is no limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        return None
    return max(0, (hard - open_files_needed(0, slots, relayed=relayed)) // (2 if relayed else 1))


def allow_open_files(wanted: int, what: str) -> None:
    """Raise the soft limit of this process and its children to `wanted`, which `what` needs.

    Raises a UserError where the hard limit is lower; it names the limit and the command that raises it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and wanted > hard:
        raise UserError(
            f"{what} need {wanted} open files and the hard limit is {hard}: ask for fewer, or raise the "
            f"limit in this shell, as root: `ulimit -n {wanted}` "
            f"(permanently: `* hard nofile {wanted}` in /etc/security/limits.conf)"
        )
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def reserve_descriptors() -> None:
    """Grow the kernel's table of this process's descriptors now to the size that the soft limit allows.

    If several threads share the table, each doubling waits for all readers of the old table
    (`expand_fdtable` in the kernel's fs/file.c). This wait delayed a burst of connections by 4 to 23 ms at
    the 256th descriptor and again at the 512th. The table never shrinks, so one high descriptor is enough.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_RESERVED if soft == resource.RLIM_INFINITY else min(soft, MOST_RESERVED)
    with open(os.devnull) as low:
        os.close(fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, most - 1))
