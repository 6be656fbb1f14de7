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

START_S = 60.0
LOOK_S = 0.25
PRIORITY = -10
"""The endpoint's niceness where this is allowed. Test processes fill the cores, and an instrument that waits
for them is late; all runtimes are served alike, and the lateness in the journal shows whether it helped.
"""


@contextlib.contextmanager
def started(
    options: Sequence[str], stderr: Path, check: Callable[[], None] = lambda: None
) -> Iterator[tuple[Child, str]]:
    """`agentdyno serve` with these options: the process and its base URL, once it listens.

    It is stopped when the block is left, after which its journal is whole. `check` is called while it starts,
    and raises if that is to be broken off. A UserError holds its last words when it does not start.
    """
    # The endpoint passes on what the client sends, so it has no use for the key itself.
    environment = {name: value for name, value in os.environ.items() if name != "LLM_API_KEY"}
    # Without -P Python would import the user's json.py, if the current folder holds one.
    argv = [sys.executable, "-P", "-m", "agentdyno", "serve", *options]
    with (
        stderr.open("wb") as errors,
        Child(argv, cwd=Path.cwd(), environment=environment, stdout=subprocess.PIPE, stderr=errors) as child,
    ):
        yield child, _base_url(child, stderr, check)


def _base_url(child: Child, stderr: Path, check: Callable[[], None]) -> str:
    """The address, from the line that the endpoint prints when it listens."""
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
    address = line.decode().strip().rpartition(" ")[2]
    if not address.startswith("http"):
        child.stop()
        said = stderr.read_text(errors="replace").strip().splitlines() or [f"no address in {START_S:g} s"]
        raise UserError(f"the endpoint did not start: {said[-1].removeprefix('agentdyno: ')}", status=1)
    return address


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
