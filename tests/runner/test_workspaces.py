"""What attempts leave behind, and what a killed harness leaves behind."""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agentdyno.measure.proc import Process
from agentdyno.process.orphans import Survivor
from agentdyno.runner.workspaces import LINK, OWNER, is_of_an_attempt, remove_left
from agentdyno.verifiers import VERIFIERS
from command_line import TASKS, Agentdyno, plain_environment, processes_in, running, wait_for

LEAVES = (
    "import subprocess\nsubprocess.Popen(['sleep', '600'], start_new_session=True, stdout=-3)",
    "import subprocess\nsubprocess.Popen(['sleep', '600'], start_new_session=True, stdout=-3, env={})",
    "import subprocess\nsubprocess.Popen(['sleep', '600'], process_group=0, stdout=-3, cwd='/')",
    "import os, signal\nif not os.fork():\n    os.setsid()\n    os.closerange(0, 99)\n    signal.pause()",
)
"""Ways in which code under test leaves a process behind that has left the group of its verification."""


def test_what_attempts_leave_behind_is_no_fault_of_the_runtime(agentdyno: Agentdyno, tmp_path: Path) -> None:
    tasks = [
        task | {"reference": f"{leave}\n{task['reference']}"}
        for task, leave in zip(TASKS, LEAVES, strict=True)
    ]
    (tmp_path / "tasks.jsonl").write_text("".join(json.dumps(task) + "\n" for task in tasks))
    done = agentdyno(
        "run", "--runtimes", "python", "--tasks", tmp_path / "tasks.jsonl", "--limit", 4, "--agents", 4,
        "--controls", "none", "--profile", "instant", "--out", tmp_path / "results",
    )  # fmt: skip
    (outcome,) = [json.loads(path.read_text()) for path in tmp_path.glob("results/raw/*/runs/*/outcome.json")]
    left = outcome["left_by_attempts"]
    # Wrong answers are made from the references too, and may leave something as well.
    assert outcome["survivors"] == 0
    assert left >= len(LEAVES)
    assert f"  {left} processes that attempts had left behind were killed" in done.stdout.splitlines()
    assert "outlived" not in done.stdout
    assert processes_in(tmp_path) == {}


SESSION, ARGV = 10, ("python3", "-m", "pytest")
ROOT = Path("/tmp/agentdyno-x/w")
LEFT = Survivor(
    Process(
        12,
        "sleep",
        "S",
        1,
        group=12,
        session=12,
        own_cpu_s=0,
        reaped_children_cpu_s=0,
        threads=1,
        arguments_at=0,
    ),
    environment=[b"AGENTDYNO_ATTEMPT=1"],
    command=[b"sleep", b"600"],
    folder="/",
)


@pytest.mark.parametrize(
    ("left", "is_of_one"),
    [
        (LEFT, True),
        (replace(LEFT, environment=[], folder=f"{ROOT}/a (deleted)"), True),
        (replace(LEFT, environment=[], folder="/tmp/agentdyno-x/w2"), False),
        (replace(LEFT, environment=[b"A=1"]), False),
        (replace(LEFT, process=replace(LEFT.process, session=SESSION)), True),
        # The group of a verification, which the runtime has to kill.
        (replace(LEFT, process=replace(LEFT.process, session=SESSION, group=11)), False),
        (
            replace(LEFT, process=replace(LEFT.process, session=SESSION), command=[*map(str.encode, ARGV)]),
            False,
        ),
    ],
)
def test_the_runtimes_own_are_told_apart(left: Survivor, is_of_one: bool) -> None:
    assert is_of_an_attempt(left, ROOT, SESSION, ARGV) is is_of_one


@pytest.mark.usefixtures("starts_processes")
def test_every_verifier_marks_what_it_starts() -> None:
    assert {verifier().environment["AGENTDYNO_ATTEMPT"] for verifier in VERIFIERS.values()} == {"1"}


@contextlib.contextmanager
def sleeping_in(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "600"], cwd=folder) as process:
        try:
            yield process
        finally:
            process.kill()


def test_what_a_killed_harness_left_is_removed_by_resume(
    agentdyno: Agentdyno, misbehaving_agent: Callable[[str], Path], tmp_path: Path
) -> None:
    fault = "hangs-in-its-second-start"
    words = ["--runtimes", misbehaving_agent(fault), "--limit", 4, "--agents", 4, "--repeats", 2]
    words += ["--controls", "none", "--profile", "instant", "--verifier", "null"]
    with running(plain_environment(), tmp_path, *words) as process:
        wait_for("results/raw/*/runs/002-*/events.jsonl", tmp_path, process)
        process.kill()
    (left,) = tmp_path.glob("agentdyno-*")
    others = tmp_path / "agentdyno-of-others"
    others.mkdir()
    with sleeping_in(left / "w") as works_there, sleeping_in(others) as works_elsewhere:
        (folder,) = (tmp_path / "results" / "raw").iterdir()
        done = agentdyno("run", "--resume", folder)
        assert (done.returncode, done.stderr) == (0, "")
        assert works_there.wait(timeout=30) == -signal.SIGKILL
        assert works_elsewhere.poll() is None
    assert list(tmp_path.glob("agentdyno-*")) == [others]


def owned(run: Path) -> str:
    return f"{run.stat().st_dev}:{run.stat().st_ino}\n"


@pytest.mark.parametrize("wrong", ["no owner", "another owner", "another name", "a link", "nothing"])
def test_what_is_not_provably_the_runs_is_left_alone(tmp_path: Path, wrong: str) -> None:
    run, root = tmp_path / "run", tmp_path / "agentdyno-x"
    run.mkdir()
    root.mkdir()
    (root / "precious").touch()
    (root / OWNER).write_text(owned(run))
    (run / LINK).symlink_to(root)
    if wrong == "no owner":
        (root / OWNER).unlink()
    elif wrong == "another owner":
        (root / OWNER).write_text(owned(tmp_path))
    elif wrong == "another name":
        root = root.rename(tmp_path / "home")
        (run / LINK).unlink()
        (run / LINK).symlink_to(root)
    elif wrong == "a link":
        root = root.rename(tmp_path / "home")
        (tmp_path / "agentdyno-x").symlink_to(root)
    elif wrong == "nothing":
        (run / LINK).unlink()
    remove_left(run, ["true"])
    assert (root / "precious").exists()


def test_what_is_the_runs_is_removed_also_after_the_run_was_moved(tmp_path: Path) -> None:
    run, root = tmp_path / "run", tmp_path / "agentdyno-x"
    run.mkdir()
    root.mkdir()
    (root / OWNER).write_text(owned(run))
    (run / LINK).symlink_to(root)
    moved = run.rename(tmp_path / "moved")
    remove_left(moved, ["true"])
    assert not os.path.lexists(root)
