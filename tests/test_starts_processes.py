"""Tests that start processes are marked by their fixtures, and no others can start one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import contextlib, os, subprocess, sys
import pytest

@pytest.fixture
def child(starts_processes):
    return subprocess.run([sys.executable, "-c", ""])

def test_through_a_fixture(child):
    assert child.returncode == 0

@pytest.mark.usefixtures("starts_processes")
def test_declared():
    assert os.system("true") == 0

def test_undeclared():
    subprocess.run([sys.executable, "-c", ""])

def test_undeclared_and_caught():
    with contextlib.suppress(Exception):
        os.posix_spawn("/bin/true", ["true"], {})

def test_without_a_process():
    pass
"""


def outcomes(folder: Path, *words: str) -> dict[str, str]:
    """Runs `TESTS` in a pytest of its own: the name of each test that was selected, and how it ended."""
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\n")
    (folder / "test_it.py").write_text(TESTS)
    done = subprocess.run(
        [sys.executable, "-B", "-m", "pytest", "-p", "starts_processes", "-rA", "--no-header", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
    )
    lines = [line.split(" ") for line in done.stdout.splitlines() if "test_it.py::" in line]
    return {words[1].partition("::")[2]: words[0] for words in lines if words[0] in ("PASSED", "FAILED")}


@pytest.mark.usefixtures("starts_processes")
def test_a_test_that_starts_a_process_without_the_fixture_fails(tmp_path: Path) -> None:
    assert outcomes(tmp_path) == {
        "test_through_a_fixture": "PASSED",
        "test_declared": "PASSED",
        "test_undeclared": "FAILED",
        "test_undeclared_and_caught": "FAILED",
        "test_without_a_process": "PASSED",
    }


@pytest.mark.usefixtures("starts_processes")
def test_the_mark_follows_from_the_fixtures(tmp_path: Path) -> None:
    assert list(outcomes(tmp_path, "-m", "process")) == ["test_through_a_fixture", "test_declared"]
