"""What an attempt leaves in the verifier's environment is found before it could run in another run."""

import json
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentdyno.sealed import seal
from command_line import TASKS

pytestmark = pytest.mark.usefixtures("starts_processes")

HOSTILE = (
    "import pathlib, sysconfig\n"
    "site = pathlib.Path(sysconfig.get_path('purelib'))\n"
    "site.chmod(0o755)\n"
    "(site / 'left.pth').write_text('import os')\n"
)


def environment_like(folder: Path, packages: str) -> Path:
    """A virtual environment at `folder` that has the packages of another one."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "packages.pth").write_text(f"import site; site.addsitedir({packages!r})\n")
    return site


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Path]:
    """An environment with agentdyno, and in it a sealed one with pytest; gives the former."""
    packages = sysconfig.get_path("purelib")
    environment_like(tmp_path / "venv", packages)
    environment_like(tmp_path / "venv" / "verifier", packages)
    seal(tmp_path / "venv" / "verifier")
    yield tmp_path / "venv"
    for path in (tmp_path / "venv").rglob("*"):
        if path.is_dir():
            path.chmod(0o755)  # for its removal


@pytest.fixture
def hostile_tasks(tmp_path: Path) -> Path:
    """The four small tasks, of which one writes where the verifier's interpreter looks when it starts."""
    tasks = [dict(task) for task in TASKS]
    tasks[0]["reference"] = HOSTILE + tasks[0]["reference"]
    path = tmp_path / "tasks.jsonl"
    path.write_text("".join(json.dumps(task) + "\n" for task in tasks))
    return path


def test_a_run_whose_attempts_change_the_verifier_does_not_count(
    installed: Path, hostile_tasks: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    def agentdyno(*words: object) -> "subprocess.CompletedProcess[str]":
        command = [str(installed / "bin" / "python3"), "-m", "agentdyno", *map(str, words)]
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)

    ready = agentdyno("check", "--runtimes", "python").stdout
    assert f"pytestin{installed}/verifier/bin" in "".join(ready.split())
    words = ["--tasks", hostile_tasks, "--limit", 4, "--agents", 4, "--controls", "none", "--repeats", 2]
    words += ["--runtimes", "python", "--profile", "instant", "--redo", 0, "--out", tmp_path / "results"]
    done = agentdyno("run", *words)
    assert done.returncode == 1
    left, its = "left.pth", installed / "verifier"
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"agentdyno: {its}/lib/python")
    assert f"{left} was added since the set-up" in line
    assert f"rm -r {its}" in line
    assert list(tmp_path.glob("results/raw/*/runs/*/outcome.json")) == []

    (folder,) = tmp_path.glob("results/raw/*")
    again = agentdyno("run", "--resume", folder)
    assert again.returncode == 1
    assert done.stderr.startswith(again.stderr.rstrip())
    assert done.stderr.endswith(
        f"; `agentdyno run --resume {folder.relative_to(tmp_path)}` goes on with it\n"
    )
    check = agentdyno("check", "--runtimes", "python")
    assert check.returncode == 1
    assert left in "".join(check.stdout.split())
