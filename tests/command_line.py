"""What the tests of the command line share."""

import contextlib
import fcntl
import json
import os
import pty
import shutil
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agentdyno.analysis.gate import Failure

Agentdyno = Callable[..., "subprocess.CompletedProcess[str]"]
RUNNER_TESTS = Path(__file__).parent / "runner"

TASKS = [
    {
        "task_id": f"double/{number}",
        "prompt": f'def double(x):\n    """Twice x, variant {number}.\n\n    >>> double(2)\n    4\n    """\n',
        "tests": "from solution import *\n\n\ndef test_double():\n    assert double(3) == 6\n",
        "entry_point": "double",
        "reference": f'def double(x):\n    """Twice x, variant {number}."""\n    return x + x\n',
    }
    for number in range(4)
]


def write_tasks(path: Path) -> Path:
    """Write the four small tasks to `path`."""
    path.write_text("".join(json.dumps(task) + "\n" for task in TASKS))
    return path


def manifest(folder: Path, name: str, **fields: list[str]) -> None:
    lines = [f'name = "{name}"', 'language = "Python"', 'description = "of the tests"']
    lines += [f"{field} = {json.dumps(value)}" for field, value in fields.items()]
    (folder / "runtime.toml").write_text("\n".join(lines) + "\n")


def misbehaving_runtime_in(folder: Path, fault: str) -> Path:
    """The folder of a runtime, in `folder`, that has one fault and does not do the loop."""
    its = folder / f"runtime-{fault}"
    its.mkdir()
    shutil.copy(RUNNER_TESTS / "misbehaving_runtime.py", its / "misbehaving_runtime.py")
    manifest(its, fault, run=[sys.executable, "-I", "misbehaving_runtime.py", fault])
    return its


def misbehaving_agent_in(folder: Path, fault: str, python: Path) -> Path:
    """The folder of a runtime, in `folder`, that does the whole loop by `python` and has one fault."""
    its = folder / f"runtime-{fault}"
    its.mkdir()
    manifest(its, fault, run=[str(python), str(RUNNER_TESTS / "misbehaving_agent.py"), fault])
    return its


def plain_environment() -> dict[str, str]:
    """Ours without anything that steers agentdyno."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("LLM_", "BENCH_"))}


def summary(out: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((out / "latest" / "summary.json").read_text())
    return document


def line_of(failure: dict[str, Any]) -> str:
    """A failure in a summary, as it is printed."""
    return Failure(**failure).line


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


def agentdyno_command(*words: object) -> list[str]:
    """A command line that makes no run again: what else the machine does disturbs most runs of tests."""
    once = ["--redo", "0"] if words[0] in ("run", "sweep") and not {"--redo", "--resume"} & {*words} else []
    return [sys.executable, "-m", "agentdyno", *map(str, words), *once]


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that one of the test processes fills and all of them read."""
    base = factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, done = base / name, base / f"{name}.done"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            folder.mkdir(exist_ok=True)
            make(folder)
            done.touch()
    return folder


def measured_in(folder: Path, *words: object) -> "subprocess.CompletedProcess[str]":
    """One experiment, for all tests of a module; its results are in `folder`."""
    return subprocess.run(
        agentdyno_command("run", *words, "--out", folder / "results"),
        env=plain_environment() | {"TMPDIR": str(folder), "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=300,
    )


def on_a_terminal(environment: dict[str, str], columns: int, *words: object) -> str:
    """What a command prints on a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    wide_as_it_is = {name: value for name, value in environment.items() if name != "COLUMNS"}
    with subprocess.Popen(
        agentdyno_command(*words),
        env=wide_as_it_is | {"TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ):
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # how Linux says that the other side of a pty is closed
                break
            shown += piece
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


@contextlib.contextmanager
def running(environment: dict[str, str], tmp_path: Path, *words: object) -> Iterator[subprocess.Popen[str]]:
    """`agentdyno run`, started."""
    with subprocess.Popen(
        agentdyno_command("run", *words, "--out", tmp_path / "results"),
        env=environment | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def wait_for(pattern: str, folder: Path, process: subprocess.Popen[str]) -> None:
    """Wait until a file that matches is there, while the process runs."""
    while not any(folder.glob(pattern)):
        assert process.poll() is None
