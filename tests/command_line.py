"""What the tests of the command line share."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

Agentdyno = Callable[..., "subprocess.CompletedProcess[str]"]


def manifest(folder: Path, name: str, **fields: list[str]) -> None:
    lines = [f'name = "{name}"', 'language = "Python"', 'description = "of the tests"']
    lines += [f"{field} = {json.dumps(value)}" for field, value in fields.items()]
    (folder / "runtime.toml").write_text("\n".join(lines) + "\n")


def summary(out: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((out / "latest" / "summary.json").read_text())
    return document


def processes_in(folder: Path) -> dict[int, str]:
    """Pid and command line of every process, but this one, that works in `folder` or names it."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            works_there = (process / "cwd").readlink().is_relative_to(folder)
        except OSError:
            continue
        if (works_there or str(folder) in command) and int(process.name) != os.getpid():
            found[int(process.name)] = command
    return found
