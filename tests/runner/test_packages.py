"""Runtimes that this machine cannot build: skipped with a remedy, or what they need is installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from command_line import Agentdyno, manifest, summary

RIGHTS = "" if os.geteuid() == 0 else "sudo "
REQUIRES = (
    'requires = [{ program = "no-such-compiler", hint = "get it", debian = "compiler-package" }, '
    '{ library = "no-such-library >= 2", hint = "get it too", debian = "library-package" }]\n'
)


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder for PATH with a shell's programs, and an apt-get that notes how it is called."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("sh", "cat", "chmod", "env"):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    program(folder / "sudo", 'test "$1" = -n && shift; exec "$@"')
    return folder


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def apt_get(programs: Path, on_install: str) -> Path:
    log = programs / "calls"
    program(
        programs / "apt-get",
        f'echo "$@" >> {log}\nif [ "$1" = install ]; then\n{on_install}\nfi',
    )
    return log


@pytest.fixture
def compiled(tmp_path: Path) -> Path:
    folder = tmp_path / "compiled"
    folder.mkdir()
    manifest(folder, "compiled", run=["no-such-compiler"])
    with (folder / "runtime.toml").open("a") as file:
        file.write(REQUIRES)
    return folder


def test_what_is_missing_is_installed_after_saying_so(
    agentdyno: Agentdyno, compiled: Path, programs: Path, tasks: Path, tmp_path: Path
) -> None:
    log = apt_get(
        programs,
        f"cd {programs}; echo '#!/bin/sh' > no-such-compiler; echo '#!/bin/sh' > pkg-config; "
        "chmod +x no-such-compiler pkg-config",
    )
    done = agentdyno(
        "run", "--install", "--runtimes", compiled, "--tasks", tasks, "--repeats", 1, "--agents", 1,
        "--verifier", "null", "--out", tmp_path / "results", PATH=str(programs),
    )  # fmt: skip
    assert log.read_text() == (
        "update --quiet\ninstall --yes --quiet --no-install-recommends compiler-package library-package\n"
    )
    assert done.stderr.splitlines()[:2] == [
        f"installing for compiled: {RIGHTS}apt-get update --quiet",
        f"installing for compiled: {RIGHTS}apt-get install --yes --quiet --no-install-recommends "
        "compiler-package library-package",
    ]
    (row,) = summary(tmp_path / "results")["rows"]  # it was run, and so it was there
    assert row["runtime"] == "compiled"


def test_an_installation_that_fails_leaves_the_remedy(
    agentdyno: Agentdyno, compiled: Path, programs: Path, tasks: Path, tmp_path: Path
) -> None:
    apt_get(programs, "exit 100")
    done = agentdyno(
        "run", "--install", "--runtimes", compiled, "--tasks", tasks, "--out", tmp_path / "results",
        PATH=str(programs),
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.splitlines()[2:] == [
        "apt-get ended with status 100; continuing",
        f"agentdyno: runtime `compiled` needs `no-such-compiler`, `no-such-library >= 2`: {RIGHTS}apt-get "
        "install --yes --quiet --no-install-recommends compiler-package library-package",
    ]


def test_nothing_is_installed_unasked(
    agentdyno: Agentdyno, compiled: Path, programs: Path, tasks: Path, tmp_path: Path
) -> None:
    log = apt_get(programs, "")
    agentdyno("run", "--runtimes", compiled, "--tasks", tasks, "--out", tmp_path / "r", PATH=str(programs))
    assert not log.exists()


@pytest.mark.parametrize(
    ("script", "needed"),
    [
        ("echo mix 1.9.3", "1.10"),  # by number, not by letter
        ("echo mix 2 of today", "1.0"),  # a number alone is no version
        ('test "$1" = version && echo mix 1.9', "1.9.1"),
        ("echo mix 9.9; exit 3", "1.0"),
    ],
)
def test_a_program_that_is_too_old_is_as_good_as_missing(
    agentdyno: Agentdyno, programs: Path, tasks: Path, tmp_path: Path, script: str, needed: str
) -> None:
    done = run_with_mix(agentdyno, programs, tasks, tmp_path, script, needed)
    assert done.returncode == 1
    assert done.stderr == f"agentdyno: runtime `elixir` needs `mix >= {needed}` (get it)\n"


@pytest.mark.parametrize(
    ("script", "needed"),
    [
        ("echo mix 1.10", "1.9.3"),
        ("echo v20.12.1", "20.12"),
        ('test "$1" = version && echo go1.26.8', "1.26"),
    ],
)
def test_a_program_that_is_new_enough_serves(
    agentdyno: Agentdyno, programs: Path, tasks: Path, tmp_path: Path, script: str, needed: str
) -> None:
    done = run_with_mix(agentdyno, programs, tasks, tmp_path, script, needed)
    assert "needs" not in done.stderr
    assert [row["runtime"] for row in summary(tmp_path / "results")["rows"]] == ["elixir"]


def run_with_mix(
    agentdyno: Agentdyno, programs: Path, tasks: Path, tmp_path: Path, script: str, needed: str
) -> subprocess.CompletedProcess[str]:
    program(programs / "mix", script)
    folder = tmp_path / "elixir"
    folder.mkdir()
    manifest(folder, "elixir", run=["true"])
    with (folder / "runtime.toml").open("a") as file:
        file.write(f'requires = [{{ program = "mix >= {needed}", hint = "get it" }}]\n')
    return agentdyno(
        "run", "--runtimes", folder, "--tasks", tasks, "--agents", 1, "--limit", 1, "--verifier", "null",
        "--out", tmp_path / "results", PATH=f"{programs}:{os.environ['PATH']}",
    )  # fmt: skip


def test_runtimes_that_nobody_asked_for_in_particular_are_skipped_and_named(
    agentdyno: Agentdyno, tasks: Path, programs: Path, tmp_path: Path
) -> None:
    done = agentdyno(
        "run", "--tasks", tasks, "--limit", 4, "--agents", 2, "--repeats", 1, "--profile", "instant",
        "--verifier", "null", "--out", tmp_path / "results", PATH=str(programs),
    )  # fmt: skip
    skipped = [line for line in done.stderr.splitlines() if line.startswith("skipped cpp: needs `g++` (")]
    assert len(skipped) == 2, done.stderr  # before the runs, and again below the table
    assert {row["runtime"] for row in summary(tmp_path / "results")["rows"]} == {"python", "python-uvloop"}
