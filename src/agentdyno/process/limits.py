"""The limit on open files, which is the first that many agents meet."""

import fcntl
import os
import resource

from agentdyno.errors import UserError

SPARE = 64
"""Files that a process has open besides connections and pipes: libraries, logs, the loop's own."""

MOST_RESERVED = 65_536
"""Descriptors to have a table for, where the limit allows more or there is none; it takes 8 bytes each."""


def open_files_needed(agents: int, slots: int, *, relayed: bool) -> int:
    """How many files one process of a run may have open at once.

    A connection an agent, or two in an endpoint that relays to a real one; pipes and a pidfd a slot.
    """
    return (2 if relayed else 1) * agents + 3 * slots + SPARE


def most_agents(slots: int, *, relayed: bool) -> int | None:
    """The most agents that the hard limit leaves room for; None where there is no limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        return None
    return max(0, (hard - open_files_needed(0, slots, relayed=relayed)) // (2 if relayed else 1))


def allow_open_files(wanted: int, what: str) -> None:
    """Raise the soft limit, for this process and those it starts, to `wanted`, which `what` needs.

    A UserError where the hard limit is lower: it names the limit and the command that raises it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and wanted > hard:
        raise UserError(
            f"{what} need {wanted} open files and the hard limit is {hard}: ask for fewer, or raise the "
            f"limit in this shell, as root: `ulimit -n {wanted}` "
            f"(for good: `* hard nofile {wanted}` in /etc/security/limits.conf)"
        )
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def reserve_descriptors() -> None:
    """Have the kernel's table of this process's descriptors as large now as the soft limit lets it become.

    While several threads share the table, each time that it doubles waits for all readers of the old one
    (`expand_fdtable` in the kernel's fs/file.c), which held up a burst of connections for 4 to 23 ms at the
    256th descriptor and again at the 512th. It never becomes smaller, so one high descriptor is enough.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_RESERVED if soft == resource.RLIM_INFINITY else min(soft, MOST_RESERVED)
    with open(os.devnull) as low:
        os.close(fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, most - 1))
