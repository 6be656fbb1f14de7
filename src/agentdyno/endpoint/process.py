"""The endpoint as a process of its own."""

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
    argv = [sys.executable, "-m", "agentdyno", "serve", *options]
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
