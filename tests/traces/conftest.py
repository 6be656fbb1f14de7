import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agentdyno.results.experiment import open_experiment
from agentdyno.results.records import Run
from agentdyno.rundata.cell import Cell
from agentdyno.rundata.raw_run import RawRun
from analysis.synthetic import CELL, written
from command_line import Agentdyno, agentdyno_command
from traces.receiving import Receiver, build, receiving

Tell = Callable[..., RawRun]
Receive = Callable[..., Receiver]


@pytest.fixture(scope="session")
def experiment(measured_folder: Path) -> Path:
    """The folder of an experiment of four runs with traces, each of 100 tasks; some have two attempts."""
    return (measured_folder / "results" / "latest").resolve()


@pytest.fixture(scope="session")
def run_of_python(experiment: Path) -> Run:
    """The Python runtime's first run."""
    return next(run for run in open_experiment(experiment).runs if run.cell.runtime == "python")


@pytest.fixture
def agentdyno(tmp_path: Path, starts_processes: None) -> Agentdyno:
    """Runs the command line without variables that steer it, but those that are given."""
    steering = ("LLM_", "BENCH_", "OTEL_")

    def run(*words: object, **more: str) -> "subprocess.CompletedProcess[str]":
        plain = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
        return subprocess.run(
            agentdyno_command(*words),
            env=plain | {"COLUMNS": "100"} | more,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


@pytest.fixture
def tell(tmp_path: Path) -> Tell:
    """Writes a synthetic run as the harness would, and reads it back."""

    def make(run: dict[str, Any], cell: Cell = CELL, **run_file: Any) -> RawRun:
        asked = {
            "base_url": "http://127.0.0.1:8000/v1",
            "model": "sim",
            "request": {"max_tokens": 2048, "temperature": 0, "stream_options": {"include_usage": True}},
        }
        return written(run, tmp_path, cell, **asked | run_file)

    return make


@pytest.fixture(scope="session")
def program(starts_processes: None) -> Path:
    """The receiver's."""
    if shutil.which("go") is None:
        pytest.fail("the Collector's receiver needs Go: install it from https://go.dev/dl", pytrace=False)
    return build()


@pytest.fixture
def receiver(program: Path, tmp_path: Path) -> Iterator[Receiver]:
    """The Collector's receiver, which takes everything."""
    with receiving(program, tmp_path) as running:
        yield running
