"""What lies in the folder that agentdyno is started in is the user's, and none of it is imported."""

import sys
from pathlib import Path

import pytest

from agentdyno.endpoint.process import started
from agentdyno.errors import UserError
from agentdyno.project import PROMPTS
from agentdyno.verifiers import cold, find_interpreter

pytestmark = pytest.mark.usefixtures("starts_processes")

POISON = 'raise SystemExit("imported from the current folder")\n'


@pytest.fixture
def poisoned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with modules that end whatever imports them."""
    for name in ("pytest", "aiohttp", "httptools", "json", "agentdyno"):
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
