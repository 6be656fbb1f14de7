import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agentdyno.runtimes.build import build
from agentdyno.runtimes.manifest import choose
from command_line import Agentdyno, manifest

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


@pytest.fixture
def environment() -> dict[str, str]:
    """Ours without anything that steers agentdyno."""
    steering = ("LLM_", "BENCH_")
    return {name: value for name, value in os.environ.items() if not name.startswith(steering)} | {
        "COLUMNS": "100"
    }


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    path = tmp_path / "tasks.jsonl"
    path.write_text("".join(json.dumps(task) + "\n" for task in TASKS))
    return path


@pytest.fixture
def agentdyno(environment: dict[str, str], tmp_path: Path, starts_processes: None) -> Agentdyno:
    """Runs the command line as a user would and returns what it printed."""

    def run(*words: object, **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "agentdyno", *map(str, words)],
            env=environment | more,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


@pytest.fixture
def misbehaving(tmp_path: Path) -> Callable[[str], Path]:
    """Makes the folder of a runtime that has one fault."""

    def make(fault: str) -> Path:
        folder = tmp_path / f"runtime-{fault}"
        folder.mkdir()
        shutil.copy(Path(__file__).with_name("misbehaving_runtime.py"), folder / "misbehaving_runtime.py")
        manifest(folder, fault, run=[sys.executable, "-I", "misbehaving_runtime.py", fault])
        return folder

    return make


@pytest.fixture(scope="session")
def python_of_the_runtime(tmp_path_factory: pytest.TempPathFactory, starts_processes: None) -> Path:
    """The interpreter of the Python runtime, which is built if it was not."""
    (python,) = choose(["python"])
    build(python, tmp_path_factory.mktemp("build") / "log", lambda: None)
    return python.folder / python.run[0]


@pytest.fixture
def misbehaving_agent(tmp_path: Path, python_of_the_runtime: Path) -> Callable[[str], Path]:
    """Makes the folder of a runtime that does the whole loop and has one fault."""
    script = Path(__file__).with_name("misbehaving_agent.py")

    def make(fault: str) -> Path:
        folder = tmp_path / f"runtime-{fault}"
        folder.mkdir()
        manifest(folder, fault, run=[str(python_of_the_runtime), str(script), fault])
        return folder

    return make
