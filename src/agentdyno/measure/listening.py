"""Which processes of this machine listen at a port."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from agentdyno.measure import proc
from agentdyno.measure.tree import with_descendants

LISTENING = "0A"
"""The state of a listening socket (TCP_LISTEN in include/net/tcp_states.h)."""


def server_at(port: int) -> set[int]:
    """The pids of the processes that this user may look into and that listen at `port`, with all their
    descendants: the server, its workers, and what they start.

    The sources are /proc/net/tcp and tcp6 (Documentation/networking/proc_net_tcp.rst) and /proc/PID/fd.
    """
    sockets = {f"socket:[{inode}]" for inode in _inodes(port)}
    if not sockets:
        return set()
    every = list(proc.every())
    listening = {process.pid for process in every if not sockets.isdisjoint(_opened(process.pid))}
    return with_descendants(listening, every)


def _inodes(port: int) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    yield fields[9]


def _opened(pid: int) -> Iterator[str]:
    with contextlib.suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                yield os.readlink(f"/proc/{pid}/fd/{name}")
