"""The cold verifier prints the same for the same failure, whatever lies in the folders above."""

import subprocess
from pathlib import Path

import pytest

from agentdyno.verifiers import cold

pytestmark = pytest.mark.usefixtures("starts_processes")

TESTS = "from solution import *\n\n\ndef test_it():\n    assert sorted(names()) == ['a']\n"
SOLUTIONS = {
    "passes": "def names():\n    return {'a'}\n",
    "fails": "def names():\n    return {'b', 'c', 'd', 'e'}\n",
    "does not compile": "def names()\n    return {'a'}\n",
    "has no such name": "def name():\n    return {'a'}\n",
    "raises": "def names():\n    return undefined\n",
}


def verified(folder: Path, solution: str) -> str:
    folder.mkdir(parents=True)
    (folder / "solution.py").write_text(solution)
    (folder / "test_solution.py").write_text(TESTS)
    verifier = cold()
    done = subprocess.run(verifier.argv, cwd=folder, env=verifier.environment, capture_output=True, text=True)
    assert done.stderr == ""
    assert sorted(path.name for path in folder.iterdir()) == ["solution.py", "test_solution.py"]
    return done.stdout


@pytest.mark.parametrize("solution", SOLUTIONS.values(), ids=SOLUTIONS)
def test_the_output_depends_on_the_workspace_by_its_path_alone(solution: str, tmp_path: Path) -> None:
    plain = tmp_path / "w" / "attempt-1"
    other = tmp_path / "somewhere" / "else" / "entirely" / "attempt-2"
    other.parent.mkdir(parents=True)
    (tmp_path / "somewhere" / "pytest.ini").write_text(
        "[pytest]\naddopts = --strict-config --no-such-option\n"
    )
    (tmp_path / "somewhere" / "conftest.py").write_text("raise SystemExit('found the conftest.py above')\n")
    said = [
        verified(folder, solution).replace(f"{folder}/", "").rpartition(" in ")[0]
        for folder in (plain, other)
    ]
    assert said[0] == said[1]
    assert "attempt" not in said[0]


def test_a_pass_and_a_failure_are_told_apart_on_the_last_line(tmp_path: Path) -> None:
    last = {
        name: verified(tmp_path / name, SOLUTIONS[name]).splitlines()[-1].partition(" in ")[0]
        for name in ("passes", "fails")
    }
    assert last == {"passes": "1 passed", "fails": "1 failed"}
