"""The limit on open files, which is the first that many agents meet."""

import resource

from agentdyno.errors import Refusal

SPARE = 64
"""Files that a process has open besides connections and pipes: libraries, logs, the loop's own."""


def needed(agents: int, slots: int, *, relayed: bool) -> int:
    """How many files one process of a run may have open at once.

    A connection an agent, or two in an endpoint that relays to a real one; pipes and a pidfd a slot.
    """
    return (2 if relayed else 1) * agents + 3 * slots + SPARE


def most_agents(slots: int, *, relayed: bool) -> int | None:
    """The most agents that the hard limit leaves room for; None where there is no limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        return None
    return max(0, (hard - needed(0, slots, relayed=relayed)) // (2 if relayed else 1))


def allow(wanted: int, what: str) -> None:
    """Raise the soft limit, for this process and those it starts, to `wanted`, which `what` needs.

    A Refusal where the hard limit is lower: it names the limit and the command that raises it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and wanted > hard:
        raise Refusal(
            f"{what} need {wanted} open files and the hard limit is {hard}: ask for fewer, or raise the "
            f"limit in this shell, as root: `ulimit -n {wanted}` "
            f"(for good: `* hard nofile {wanted}` in /etc/security/limits.conf)"
        )
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
