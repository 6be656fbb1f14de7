"""`agentdyno run --resume`: what is whole is not measured again."""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agentdyno.commands import experiment_options, run
from agentdyno.commands.experiment import prepared_for
from agentdyno.commands.experiment_options import DEFAULTS
from agentdyno.files import locked
from agentdyno.results.experiment import RAW
from command_line import (
    Agentdyno,
    measured_in,
    misbehaving_agent_in,
    plain_environment,
    running,
    summary,
    wait_for,
    write_tasks,
)

FAULT = "hangs-in-its-second-start"


@pytest.fixture(scope="module")
def interrupted_once(
    tmp_path_factory: pytest.TempPathFactory, python_of_the_runtime: Path, starts_processes: None
) -> Path:
    """The results of an experiment of two runs that was ended in its second."""
    folder = tmp_path_factory.mktemp("interrupted")
    words = ["--runtimes", misbehaving_agent_in(folder, FAULT, python_of_the_runtime), "--limit", 20]
    words += ["--agents", 20, "--repeats", 2, "--controls", "none", "--profile", "instant"]
    with running(plain_environment(), folder, *words, "--verifier", "null") as process:
        wait_for("results/raw/*/runs/002-*/events.jsonl", folder, process)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130
    return folder / "results"


@pytest.fixture
def interrupted(interrupted_once: Path, tmp_path: Path) -> Path:
    """A copy of it, to be gone on with."""
    shutil.copytree(interrupted_once, tmp_path / "results", symlinks=True)
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
        f"run 1/2: {FAULT}-20-null-instant is there already",
        f"run 2/2: {FAULT}, 20 agents, null, instant",
    ]
    assert raw_files(interrupted, 1) == first
    assert raw_files(interrupted, 2).keys() == second.keys()
    assert all(raw_files(interrupted, 2)[name][2] != second[name][2] for name in RAW)

    after = summary(tmp_path / "results")
    assert after["experiment"]["complete"] is True
    assert after["experiment"]["runs"][0] == before["experiment"]["runs"][0]
    (row,) = after["rows"]
    assert row["metrics"]["first_attempt_pass"]["values"] == [20, 20]
    assert row["metrics"]["wall_s"]["values"][0] == before["rows"][0]["metrics"]["wall_s"]["values"][0]
    assert agentdyno("verify", interrupted).stdout.startswith("verified: 2 runs, 40 tasks, ")

    again = agentdyno("run", "--resume", tmp_path / "results" / "latest")
    assert again.returncode == 0
    assert [line for line in again.stdout.splitlines() if line.startswith("run ")] == [
        f"run {number}/2: {FAULT}-20-null-instant is there already" for number in (1, 2)
    ]
    assert summary(tmp_path / "results")["rows"] == after["rows"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results"]


def test_no_other_process_works_on_it_meanwhile(interrupted: Path, agentdyno: Agentdyno) -> None:
    def files() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in (interrupted / "runs").rglob("*") if path.is_file()}

    before = files()
    with locked(interrupted / "lock"):
        done = agentdyno("run", "--resume", interrupted)
    assert done.returncode == 2
    assert done.stderr == (
        f"agentdyno: {interrupted}: process {os.getpid()} is at work on this experiment; "
        "wait until it has ended, or stop it\n"
    )
    assert files() == before
    with locked(interrupted / "lock"):
        assert (interrupted / "lock").read_text() == f"{os.getpid()}\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("outcome.json", b""),
        ("outcome.json", b'{"interrupted": fal'),
        ("outcome.json", b"[]"),
        ("run.json", b""),
        ("run.json", b'{"tasks_file": 1}'),
        ("journal.jsonl", b'{"kind": "request"}\n'),
        ("samples.jsonl", b"[\n"),
    ],
)
def test_a_damaged_run_is_measured_again(
    interrupted: Path, agentdyno: Agentdyno, name: str, content: bytes
) -> None:
    (first,) = (interrupted / "runs").glob("001-*")
    (first / name).write_bytes(content)
    done = agentdyno("run", "--resume", interrupted)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert f"run 1/2: {FAULT}, 20 agents" in done.stdout
    assert agentdyno("verify", interrupted).stdout.startswith("verified: 2 runs, 40 tasks, ")


def test_a_run_that_was_edited_is_not_taken_in(interrupted: Path, agentdyno: Agentdyno) -> None:
    (first,) = (interrupted / "runs").glob("001-*")
    samples = first / "samples.jsonl"
    samples.write_text("".join(samples.read_text().splitlines(keepends=True)[:-1]))
    done = agentdyno("run", "--resume", interrupted)
    assert done.returncode == 1
    assert done.stderr.startswith(f"agentdyno: {samples}: was changed after it was measured; ")
    assert done.stderr.count("\n") == 1


def test_a_contender_that_was_changed_is_not_gone_on_with(interrupted: Path, agentdyno: Agentdyno) -> None:
    runtimes = json.loads((interrupted / "settings.json").read_text())["settings"]["runtimes"]
    added = Path(runtimes[0]).with_name("faster.py")
    added.write_text("# as fast as that\n")
    try:
        done = agentdyno("run", "--resume", interrupted)
    finally:
        added.unlink()
    assert done.returncode == 1
    assert done.stderr.startswith("agentdyno: runs/001-")
    assert f"{FAULT} was changed since this run" in done.stderr


def test_it_goes_on_where_it_was_moved_to(interrupted: Path, agentdyno: Agentdyno, tmp_path: Path) -> None:
    moved = interrupted.rename(tmp_path / "moved")
    done = agentdyno("run", "--resume", moved)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((moved / "summary.json").read_text())["experiment"]["complete"] is True
    assert agentdyno("verify", moved).stdout.startswith("verified: 2 runs, 40 tasks, ")
    assert not (tmp_path.parent / "latest").is_symlink()


@dataclass(frozen=True)
class Measured:
    """An experiment, the words that asked for it, and the two files that they name."""

    folder: Path
    words: list[object]
    tasks: Path
    profile: Path


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, starts_processes: None) -> Measured:
    folder = tmp_path_factory.mktemp("measured")
    tasks, profile = write_tasks(folder / "tasks.jsonl"), folder / "fast.toml"
    profile.write_text('ttft = "200ms"\nitl = "0s"\n')
    words = ["--tasks", tasks, "--limit", 4, "--agents", 4, "--controls", "none", "--profile", profile]
    words += ["--runtimes", "python", "--verifier", "null"]
    assert measured_in(folder, *words).returncode == 0
    return Measured((folder / "results" / "latest").resolve(), words, tasks, profile)


def change_references(measured: Measured) -> Path:
    measured.tasks.write_text(measured.tasks.read_text().replace("return x + x", "return 2 * x"))
    return measured.tasks


def change_profile(measured: Measured) -> Path:
    measured.profile.write_text('ttft = "300ms"\nitl = "0s"\n')
    return measured.profile


@pytest.mark.parametrize(
    ("change", "not_gone_on_with", "not_compared"),
    [
        (change_references, "tasks was ", "references: was sha256 "),
        (
            change_profile,
            "profile was {'ttft': '200ms', 'itl': '0s'} and is {'ttft': '300ms', 'itl': '0s'}",
            'profile: was {"itl": "0s", "ttft": "200ms"}, is {"itl": "0s", "ttft": "300ms"}; ',
        ),
    ],
)
def test_files_that_say_something_else_under_the_same_name_are_found_out(
    measured: Measured,
    agentdyno: Agentdyno,
    tmp_path: Path,
    change: Callable[[Measured], Path],
    not_gone_on_with: str,
    not_compared: str,
) -> None:
    before = {path: path.read_text() for path in (measured.tasks, measured.profile)}
    changed = change(measured)
    try:
        line = refused(agentdyno("run", "--resume", measured.folder))
        done = agentdyno("run", *measured.words, "--out", tmp_path / "new")
    finally:
        changed.write_text(before[changed])
    assert line.startswith(f"--resume {measured.folder}: {not_gone_on_with}")
    assert line.endswith("; go on with the same, or begin anew")
    assert done.returncode == 0
    compared = agentdyno("compare", measured.folder, tmp_path / "new" / "latest")
    assert (compared.returncode, compared.stdout) == (2, "")
    title, reason = compared.stderr.splitlines()
    assert title == "agentdyno: BASE and NEW are not comparable; mend this, or give --force:"
    assert reason.startswith(f"  {not_compared}")


def change_kept(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "settings.json"
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
        f"--resume {nowhere}: no settings.json there; name the folder of an experiment, as results/raw/TIME"
    )
    assert refused(agentdyno("run", "--resume", interrupted, "--agents", 3)) == (
        f"--resume goes on with what {interrupted} was asked; leave out --agents"
    )
    assert refused(agentdyno("run", "--verify-slots", 7, "--resume", interrupted)) == (
        f"--resume goes on with what {interrupted} was asked; leave out --verify-slots"
    )

    original = (interrupted / "settings.json").read_text()
    now = json.loads(original)["of"]
    for name in ("commit", "tasks", "agentdyno", "model"):
        change_kept(interrupted, lambda document, name=name: document["of"].update({name: "another"}))
        assert refused(agentdyno("run", "--resume", interrupted)) == (
            f"--resume {interrupted}: {name} was another and is {now[name]}; "
            "go on with the same, or begin anew"
        )
        (interrupted / "settings.json").write_text(original)
    change_kept(interrupted, lambda document: document["of"]["machine"].update(cpus=4096))
    line = refused(agentdyno("run", "--resume", interrupted))
    assert re.fullmatch(
        rf"--resume {interrupted}: machine was {{.*'cpus': 4096.*}} and is {{.*}}; "
        "go on with the same, or begin anew",
        line,
    )
    (interrupted / "settings.json").write_text(original)

    change_kept(interrupted, lambda document: document["settings"].update(limit=19))
    line = refused(agentdyno("run", "--resume", interrupted))
    assert line.startswith(f"--resume {interrupted}: tasks was {now['tasks']} and is ")
    runs = sorted((interrupted / "runs").iterdir())
    assert [run.name[:3] for run in runs] == ["001", "002"]  # a refusal measures nothing


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "{",
            "not JSON at column 2 (Expecting property name enclosed in double quotes); mend that, or begin "
            "anew",
        ),
        ('{"command": "serve"}', "command is 'serve' and not run or sweep; begin anew"),
        ('{"command": "run"}', "settings must be an object, not None; mend that, or begin anew"),
        ('{"command": "run", "settings": {}}', "runtimes is missing; mend that, or begin anew"),
    ],
)
def test_settings_that_cannot_be_read(agentdyno: Agentdyno, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "settings.json").write_text(text)
    assert refused(agentdyno("run", "--resume", tmp_path)) == f"{tmp_path}/settings.json: {said}"


def as_an_earlier_version_kept_it(folder: Path) -> None:
    """Replace settings.json by the asked.json of version 0.1.0, which held the parsed options."""
    kept = json.loads((folder / "settings.json").read_text())
    settings = kept["settings"]
    options = {
        **{name: value for name, value in settings.items() if not name.endswith("_s")},
        "command": kept["command"],
        "runtimes": ",".join(settings["runtimes"]),
        "agents": ",".join(map(str, settings["agents"])),
        "controls": ",".join(settings["controls"]) or "none",
        "verifier": ",".join(settings["verifiers"]),
        "verify_timeout": settings["verify_timeout_s"],
        "stall": settings["stall_s"],
        "request": {},
        "strict": False,
        "document": None,
    }
    for later in ("verifiers", "real_endpoint", "proxy", "ca_bundle", "headers", "system_role"):
        del options[later]
    (folder / "settings.json").unlink()
    (folder / "asked.json").write_text(json.dumps({"asked": options, "of": kept["of"]}))


def test_what_an_earlier_version_began_is_gone_on_with(
    interrupted: Path, agentdyno: Agentdyno, tmp_path: Path
) -> None:
    as_an_earlier_version_kept_it(interrupted)
    done = agentdyno("run", "--resume", interrupted)
    assert (done.returncode, done.stderr) == (0, "")
    assert summary(tmp_path / "results")["experiment"]["complete"] is True


def test_an_option_may_have_another_name_when_its_experiment_is_gone_on_with(
    interrupted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(experiment_options.OTHERWISE_NAMED, "limit", "--tasks-of-a-run")
    parser = argparse.ArgumentParser()
    run.add_arguments(parser)
    arguments = parser.parse_args(["--resume", str(interrupted)], argparse.Namespace(command="run"))
    # Nor does it matter what the environment says today.
    prepared = prepared_for(arguments, {"BENCH_CONCURRENCY": "7"}, DEFAULTS)
    assert (prepared.settings.limit, prepared.settings.agents) == (20, (20,))
    assert prepared.folder == interrupted


def test_an_endpoint_that_the_environment_names_must_be_the_one_of_before(
    interrupted: Path, agentdyno: Agentdyno
) -> None:
    another = {"LLM_BASE_URL": "http://127.0.0.1:9/v1", "LLM_MODEL": "m"}
    assert refused(agentdyno("run", "--resume", interrupted, **another)) == (
        f"--resume {interrupted}: endpoint was simulated and is http://127.0.0.1:9/v1; "
        "go on with the same, or begin anew"
    )
