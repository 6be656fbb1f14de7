"""What becomes of a run whose output nobody can read."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("starts_processes")


def measured(tasks: Path, results: Path, stdout: int, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "agentdyno", "run", "--runtimes", "python", "--tasks", str(tasks)),
            *("--limit", "4", "--agents", "2", "--profile", "instant", "--verifier", "null"),
            *("--controls", "none", "--out", str(results)),
        ],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )


def is_complete(results: Path) -> bool:
    document = json.loads((results / "latest" / "summary.json").read_text())
    return bool(document["experiment"]["complete"])


def test_a_reader_that_leaves_does_not_end_the_measurement(tasks: Path, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = measured(tasks, tmp_path / "results", writing)
    os.close(writing)
    _, said = process.communicate(timeout=60)
    # Four tasks are too few for a p95, which is no fault of the runtime.
    assert process.returncode == 0
    assert said == "agentdyno: nobody reads stdout any more; the measurement goes on\n"
    assert is_complete(tmp_path / "results")


def test_an_encoding_that_lacks_characters_ends_nothing(tasks: Path, tmp_path: Path) -> None:
    process = measured(tasks, tmp_path / "results", subprocess.PIPE, PYTHONIOENCODING="ascii")
    printed, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "")
    assert "peak" in printed
    assert printed.isascii()
