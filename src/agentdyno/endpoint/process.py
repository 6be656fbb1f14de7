"""The endpoint as a process of its own, and its priority."""

import contextlib
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from agentdyno.errors import UserError
from agentdyno.process.child import Child
from agentdyno.process.output import last_line

KEY = "LLM_API_KEY"
START_S = 60.0
LOOK_S = 0.25
ENDING_S = 1.0
"""How long an endpoint that has closed its stdout may take to end."""

PRIORITY = -10
"""The endpoint's niceness, where the system allows it. Test processes use all cores, and an endpoint that
waits for them sends late. All runtimes get the same service; the journal's lateness shows whether the
niceness helped.
"""


@contextlib.contextmanager
def started(
    options: Sequence[str], stderr: Path, check: Callable[[], None] = lambda: None
) -> Iterator[tuple[Child, str]]:
    """Start `agentdyno serve` with these options; gives the process and its base URL when it listens.

    The process stops at the end of the block, and its journal is complete after that. `check` is called
    during the start, and may raise to end it. Raises a UserError with its exit status and the last line of
    stderr if it does not start.
    """
    # The endpoint relays the client's own header, so it does not need the key unless a further header has it.
    environment = dict(os.environ)
    if not any(option.endswith(f"env:{KEY}") for option in options):
        environment.pop(KEY, None)
    # Without -P Python would import the user's json.py, if the current folder holds one.
    argv = [sys.executable, "-P", "-m", "agentdyno", "serve", *options]
    with (
        stderr.open("wb") as errors,
        Child(argv, cwd=Path.cwd(), environment=environment, stdout=subprocess.PIPE, stderr=errors) as child,
    ):
        yield child, _base_url(child, stderr, check)


def _base_url(child: Child, stderr: Path, check: Callable[[], None]) -> str:
    """The base URL, from the line that the endpoint prints when it listens."""
    assert child.stdout is not None
    deadline = time.monotonic() + START_S
    line = b""
    while not line.endswith(b"\n") and time.monotonic() < deadline:
        check()
        if select.select([child.stdout], [], [], LOOK_S)[0]:
            piece = os.read(child.stdout.fileno(), 4096)
            if not piece:
                break
            line += piece
        elif child.has_ended(0):  # and something else holds its stdout
            break
    address = line.decode(errors="replace").strip().rpartition(" ")[2]
    if not address.startswith("http"):
        happened = (
            said(child, stderr) if child.has_ended(ENDING_S) else f"it gave no address in {START_S:g} s"
        )
        raise UserError(f"the endpoint did not start: {happened}", status=1)
    return address


def said(child: Child, stderr: Path) -> str:
    """How an endpoint that has ended did so: its exit status or signal, and the last line of its stderr."""
    status = child.reap()
    how = f"signal {-status}" if status < 0 else f"status {status}"
    last = last_line(stderr)
    return f"it ended with {how}" + (f": {last.removeprefix('agentdyno: ')}" if last else "")


def prefer(pid: int, niceness: int = PRIORITY) -> int:
    """Give the process `niceness`, where the system allows it; returns the niceness that is in effect.

    Where the kernel groups processes by session, a process's own niceness has effect only within its session.
    There the niceness of the session's group is set too (sched(7), "The autogroup feature").
    """
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, pid, niceness)
    group = Path(f"/proc/{pid}/autogroup")
    # BlockingIOError (EAGAIN): without CAP_SYS_ADMIN the kernel allows ten changes a second per machine.
    with contextlib.suppress(FileNotFoundError, PermissionError, BlockingIOError):
        group.write_text(str(niceness))
    own = os.getpriority(os.PRIO_PROCESS, pid)
    return own if not _groups_sessions() else int(group.read_text().split()[-1])


def _groups_sessions() -> bool:
    try:
        return Path("/proc/sys/kernel/sched_autogroup_enabled").read_text().strip() == "1"
    except OSError:
        return False
