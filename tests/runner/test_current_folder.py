"""What lies in the folder that agentdyno is started in is the user's, and none of it is imported."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from agentdyno.endpoint.process import started
from agentdyno.errors import UserError
from agentdyno.project import PROMPTS
from agentdyno.verifiers import cold, find_interpreter
from command_line import write_tasks

pytestmark = pytest.mark.usefixtures("starts_processes")

POISON = """\
open(__file__ + ".imported", "w").close()
raise SystemExit("imported from the current folder")
"""
POISONED = (
    *("pytest", "json", "asyncio", "ssl", "typing", "signal", "socket", "multiprocessing"),
    *("aiohttp", "httptools", "uvloop", "rich", "numpy", "scipy", "agentdyno", "agentloop"),
    *("sitecustomize", "usercustomize"),
)


@pytest.fixture
def poisoned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with modules that end whatever imports them."""
    for name in POISONED:
        (tmp_path / f"{name}.py").write_text(POISON)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_interpreter_with_pytest_is_found_and_its_versions_are_told(poisoned: Path) -> None:
    assert (find_interpreter()[0] / "python3").exists()
    versions = cold().versions()
    assert versions.keys() == {"name", "python", "pytest"}


def test_an_interpreter_without_pytest_is_none_for_all_that_lies_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "python3"
    program.parent.mkdir()
    # Without site-packages, and so without pytest.
    program.write_text(f'#!/bin/sh\nexec {Path(sys.executable).resolve()} -S "$@"\n')
    program.chmod(0o755)
    (tmp_path / "pytest.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(program))
    with pytest.raises(UserError, match="no python3 can import pytest"):
        find_interpreter()


def test_the_endpoint_starts(poisoned: Path) -> None:
    options = ["--tasks", "builtin", "--prompts", str(PROMPTS), "--profile", "instant"]
    with started(options, poisoned / "stderr") as (_, base_url):
        assert base_url.startswith("http://")


@pytest.mark.parametrize(
    "words",
    [
        "check --runtimes python",
        "run --runtimes python --tasks {tasks} --limit 4 --controls none --agents 4 --profile instant "
        "--out {out}",
        "calibrate --streams 20 --rate 100 --seconds 0.3 --client reader --out {out}",
        "conform python --only verify.group/a",
        "verify {out}/latest",
    ],
)
def test_no_process_of_a_command_imports_what_lies_there(
    words: str, poisoned: Path, tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]
) -> None:
    tasks = write_tasks(tmp_path_factory.getbasetemp() / "tasks.jsonl")
    command = Path(sysconfig.get_path("scripts")) / "agentdyno"
    out = tmp_path_factory.getbasetemp() / "results-of-poisoned"
    asked = [word.format(tasks=tasks, out=out) for word in words.split()]
    done = subprocess.run([command, *asked], env=environment, capture_output=True, text=True)
    assert list(poisoned.glob("*.imported")) == []
    assert "imported from" not in done.stdout + done.stderr
    # A machine that is busy may not reach what `calibrate` asks for; all others succeed.
    assert done.returncode == 0 or (asked[0] in ("calibrate", "run") and done.returncode == 1)
