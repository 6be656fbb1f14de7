"""`agentdyno run --resume`: what is whole is not measured again."""

import json
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentdyno.results.analysis import RAW
from command_line import Agentdyno, running, summary, wait_for

FAULT = "hangs-in-its-second-start"


@pytest.fixture
def interrupted(
    environment: dict[str, str], misbehaving_agent: Callable[[str], Path], tmp_path: Path
) -> Path:
    """An experiment of three runs that was ended in its second."""
    words = ["--runtimes", misbehaving_agent(FAULT), "--limit", 20, "--agents", 20, "--repeats", 3]
    words += ["--controls", "none", "--profile", "instant", "--verifier", "null"]
    with running(environment, tmp_path, *words) as process:
        wait_for("results/raw/*/runs/002-*/events.jsonl", tmp_path, process)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130
    (folder,) = (tmp_path / "results" / "raw").iterdir()
    return folder


def raw_files(folder: Path, number: int) -> dict[str, tuple[int, int, bytes]]:
    """Of one run: when each file was written last, its inode, and what it holds."""
    (run,) = (folder / "runs").glob(f"{number:03}-*")
    return {
        name: (path.stat().st_mtime_ns, path.stat().st_ino, path.read_bytes())
        for name in RAW
        for path in [run / name]
    }


def test_it_goes_on_where_it_was_interrupted(interrupted: Path, agentdyno: Agentdyno, tmp_path: Path) -> None:
    first, second = raw_files(interrupted, 1), raw_files(interrupted, 2)
    before = summary(tmp_path / "results")
    assert before["experiment"]["complete"] is False
    assert [run["block"] for run in before["experiment"]["runs"]] == [1, 2]
    assert agentdyno("verify", interrupted).stdout.startswith("verified: 2 runs, 40 tasks, ")

    done = agentdyno("run", "--resume", interrupted)
    assert (done.returncode, done.stderr) == (0, "")
    printed = [line for line in done.stdout.splitlines() if line.startswith("run ")]
    assert printed == [
        f"run 1/3: {FAULT}-20-null-instant is there already",
        f"run 2/3: {FAULT}, 20 agents, null, instant",
        f"run 3/3: {FAULT}, 20 agents, null, instant",
    ]
    assert raw_files(interrupted, 1) == first
    assert raw_files(interrupted, 2).keys() == second.keys()
    assert all(raw_files(interrupted, 2)[name][2] != second[name][2] for name in RAW)

    after = summary(tmp_path / "results")
    assert after["experiment"]["complete"] is True
    assert after["experiment"]["runs"][0] == before["experiment"]["runs"][0]
    (row,) = after["rows"]
    assert row["metrics"]["first_attempt_pass"]["values"] == [20, 20, 20]
    assert row["metrics"]["wall_s"]["values"][0] == before["rows"][0]["metrics"]["wall_s"]["values"][0]
    assert agentdyno("verify", interrupted).stdout.startswith("verified: 3 runs, 60 tasks, ")

    again = agentdyno("run", "--resume", tmp_path / "results" / "latest")
    assert again.returncode == 0
    assert [line for line in again.stdout.splitlines() if line.startswith("run ")] == [
        f"run {number}/3: {FAULT}-20-null-instant is there already" for number in (1, 2, 3)
    ]
    assert summary(tmp_path / "results")["rows"] == after["rows"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results", f"runtime-{FAULT}"]


def test_it_goes_on_where_it_was_moved_to(interrupted: Path, agentdyno: Agentdyno, tmp_path: Path) -> None:
    moved = interrupted.rename(tmp_path / "moved")
    done = agentdyno("run", "--resume", moved)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((moved / "summary.json").read_text())["experiment"]["complete"] is True
    assert agentdyno("verify", moved).stdout.startswith("verified: 3 runs, 60 tasks, ")
    assert not (tmp_path.parent / "latest").is_symlink()


def change_references(tasks: Path, profile: Path) -> None:
    tasks.write_text(tasks.read_text().replace("return x + x", "return 2 * x"))


def change_profile(tasks: Path, profile: Path) -> None:
    profile.write_text('ttft = "2ms"\nitl = "0s"\n')


@pytest.mark.parametrize(
    ("change", "not_gone_on_with", "not_compared"),
    [
        (change_references, "tasks was ", "references: was sha256 "),
        (
            change_profile,
            "profile was {'ttft': '1ms', 'itl': '0s'} and is {'ttft': '2ms', 'itl': '0s'}",
            'profile: was {"itl": "0s", "ttft": "1ms"}, is {"itl": "0s", "ttft": "2ms"}; ',
        ),
    ],
)
def test_files_that_say_something_else_under_the_same_name_are_found_out(
    agentdyno: Agentdyno,
    tasks: Path,
    tmp_path: Path,
    change: Callable[[Path, Path], None],
    not_gone_on_with: str,
    not_compared: str,
) -> None:
    profile = tmp_path / "fast.toml"
    profile.write_text('ttft = "1ms"\nitl = "0s"\n')
    words = ["--tasks", tasks, "--limit", 4, "--agents", 4, "--controls", "none", "--profile", profile]
    words += ["--runtimes", "python", "--verifier", "null", "--out"]
    assert agentdyno("run", *words, tmp_path / "base").returncode == 0
    folder = (tmp_path / "base" / "latest").resolve()
    change(tasks, profile)
    line = refused(agentdyno("run", "--resume", folder))
    assert line.startswith(f"--resume {folder}: {not_gone_on_with}")
    assert line.endswith("; go on with the same, or begin anew")
    assert agentdyno("run", *words, tmp_path / "new").returncode == 0
    compared = agentdyno("compare", folder, tmp_path / "new" / "latest")
    assert (compared.returncode, compared.stdout) == (2, "")
    title, reason = compared.stderr.splitlines()
    assert title == "agentdyno: BASE and NEW are not comparable; mend this, or give --force:"
    assert reason.startswith(f"  {not_compared}")


def change_asked(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "asked.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def refused(done: "subprocess.CompletedProcess[str]") -> str:
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    return done.stderr.removeprefix("agentdyno: ").rstrip()


def test_what_is_no_experiment_of_the_same_kind_is_refused(
    interrupted: Path, agentdyno: Agentdyno, tmp_path: Path
) -> None:
    nowhere = tmp_path / "nowhere"
    assert refused(agentdyno("run", "--resume", nowhere)) == (
        f"--resume {nowhere}: no asked.json there; name the folder of an experiment, as results/raw/TIME"
    )
    assert refused(agentdyno("run", "--resume", interrupted, "--agents", 3)) == (
        f"--resume goes on with what {interrupted} was asked; leave out --agents"
    )
    assert refused(agentdyno("run", "--verify-slots", 7, "--resume", interrupted)) == (
        f"--resume goes on with what {interrupted} was asked; leave out --verify-slots"
    )

    original = (interrupted / "asked.json").read_text()
    now = json.loads(original)["of"]
    for name in ("commit", "tasks", "agentdyno", "model"):
        change_asked(interrupted, lambda document, name=name: document["of"].update({name: "another"}))
        assert refused(agentdyno("run", "--resume", interrupted)) == (
            f"--resume {interrupted}: {name} was another and is {now[name]}; "
            "go on with the same, or begin anew"
        )
        (interrupted / "asked.json").write_text(original)
    change_asked(interrupted, lambda document: document["of"]["machine"].update(cpus=4096))
    line = refused(agentdyno("run", "--resume", interrupted))
    assert re.fullmatch(
        rf"--resume {interrupted}: machine was {{.*'cpus': 4096.*}} and is {{.*}}; "
        "go on with the same, or begin anew",
        line,
    )
    (interrupted / "asked.json").write_text(original)

    change_asked(interrupted, lambda document: document["asked"].update(limit=19))
    line = refused(agentdyno("run", "--resume", interrupted))
    assert line.startswith(f"--resume {interrupted}: tasks was {now['tasks']} and is ")
    runs = sorted((interrupted / "runs").iterdir())
    assert [run.name[:3] for run in runs] == ["001", "002"]  # a refusal measures nothing


def test_a_folder_whose_json_is_broken_is_none(agentdyno: Agentdyno, tmp_path: Path) -> None:
    (tmp_path / "asked.json").write_text("{")
    assert refused(agentdyno("run", "--resume", tmp_path)) == (
        f"--resume {tmp_path}: no asked.json there; name the folder of an experiment, as results/raw/TIME"
    )
