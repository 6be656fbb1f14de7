"""Builds a runtime: runs the `build` argv of its manifest in its folder."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from agentdyno.errors import UserError
from agentdyno.process.child import Child
from agentdyno.runtimes.manifest import Manifest
from agentdyno.runtimes.packages import remedy
from agentdyno.runtimes.requirement import build_path

LOOK_S = 0.25
LAST_LINES = 15
"""How many lines of a failed build's output an error shows. The error names the log with all of it."""


def build(manifest: Manifest, log: Path, check: Callable[[], None]) -> None:
    """Build the runtime of `manifest` and write the build's output to `log`.

    `check` is called repeatedly during the build, and raises to cancel it.

    Raises a UserError if a required program is missing or the build fails; the error shows what to do, or the
    last lines of the output.
    """
    if manifest.missing():
        raise UserError(f"runtime `{manifest.name}` needs {remedy(manifest)}", status=1)
    if manifest.build is None:
        return
    argv = manifest.command(manifest.build)
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("wb") as output,
        Child(
            argv,
            cwd=manifest.folder,
            environment=os.environ | {"PATH": build_path()},
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as child,
    ):
        while not child.has_ended(LOOK_S):
            check()
        status = child.reap()
    if status != 0:
        lines = log.read_text(encoding="utf-8", errors="replace").rstrip().splitlines()
        shown = "\n".join(f"  | {line}" for line in lines[-LAST_LINES:])
        raise UserError(
            f"runtime `{manifest.name}` does not build: {' '.join(argv)} ended with status {status}; "
            f"see {log}, which ends with:\n{shown}",
            status=1,
        )
