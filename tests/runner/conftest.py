import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from agentdyno.runtimes.build import build
from agentdyno.runtimes.manifest import choose
from command_line import (
    Agentdyno,
    agentdyno_command,
    misbehaving_agent_in,
    misbehaving_runtime_in,
    plain_environment,
    write_tasks,
)


@pytest.fixture
def environment() -> dict[str, str]:
    """Ours without anything that steers agentdyno."""
    return plain_environment() | {"COLUMNS": "100"}


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    return write_tasks(tmp_path / "tasks.jsonl")


@pytest.fixture
def agentdyno(environment: dict[str, str], tmp_path: Path, starts_processes: None) -> Agentdyno:
    """Runs the command line as a user would and returns what it printed."""

    def run(*words: object, **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            agentdyno_command(*words),
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
    return lambda fault: misbehaving_runtime_in(tmp_path, fault)


@pytest.fixture(scope="session")
def python_of_the_runtime(tmp_path_factory: pytest.TempPathFactory, starts_processes: None) -> Path:
    """The interpreter of the Python runtime, which is built if it was not."""
    (python,) = choose(["python"])
    build([python], tmp_path_factory.mktemp("build"), lambda: None)
    return python.folder / python.tools[0]


@pytest.fixture
def misbehaving_agent(tmp_path: Path, python_of_the_runtime: Path) -> Callable[[str], Path]:
    """Makes the folder of a runtime that does the whole loop and has one fault."""
    return lambda fault: misbehaving_agent_in(tmp_path, fault, python_of_the_runtime)
