"""The endpoint as a process of its own, for the length of one run."""

import contextlib
import http.client
import json
import os
import select
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from agentdyno.errors import Refusal
from agentdyno.experiment.settings import Settings
from agentdyno.runtimes.child import Child

START_S = 60.0
LOOK_S = 0.25
PRIORITY = -10
"""The endpoint's niceness where this is allowed. Test processes fill the cores, and an instrument that
waits for them is late; all runtimes are served alike, and the lateness in the journal shows whether it
helped.
"""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A listening endpoint. `niceness` is what it really runs at."""

    base_url: str
    child: Child
    niceness: int

    def in_flight(self) -> int | None:
        """Requests being answered now, by the endpoint's own gauge; None when it does not answer within a
        second.
        """
        address = urllib.parse.urlsplit(self.base_url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=1)
        try:
            connection.request("GET", "/health")
            return int(json.loads(connection.getresponse().read())["in_flight"])
        except (OSError, http.client.HTTPException, ValueError, KeyError):
            return None
        finally:
            connection.close()


@contextlib.contextmanager
def serve(
    settings: Settings, tasks_file: Path, journal: Path, stderr: Path, check: Callable[[], None]
) -> Iterator[Endpoint]:
    """Start the endpoint, and stop it when the block is left, after which the journal is whole.

    `check` is called while it starts, and raises if that is to be broken off.
    """
    argv = [sys.executable, "-m", "agentdyno", "serve", "--tasks", str(tasks_file), "--journal", str(journal)]
    argv += ["--seed", str(settings.seed), "--model", settings.model]
    argv += (
        ["--upstream", settings.real_endpoint.base_url]
        if settings.real_endpoint
        else ["--profile", settings.profile]
    )
    # The relay passes on what the runtime sends, so it has no use for the key itself.
    environment = {name: value for name, value in os.environ.items() if name != "LLM_API_KEY"}
    with (
        stderr.open("wb") as errors,
        Child(argv, cwd=Path.cwd(), environment=environment, stdout=subprocess.PIPE, stderr=errors) as child,
    ):
        base_url = _base_url(child, stderr, check)
        yield Endpoint(base_url, child, _prefer(child.pid))


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
        said = stderr.read_text(errors="replace").strip().splitlines()
        reason = (
            said[-1].removeprefix("agentdyno: ") if said else f"it printed no address within {START_S:.0f} s"
        )
        raise Refusal(f"the endpoint did not start: {reason}", status=1)
    return address


def _prefer(pid: int) -> int:
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, pid, PRIORITY)
    return os.getpriority(os.PRIO_PROCESS, pid)
