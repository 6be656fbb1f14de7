"""What a run says of a runtime that does not keep the contract, and that nothing of it stays."""

import os
import select
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from command_line import (
    Agentdyno,
    line_of,
    manifest,
    measured_in,
    misbehaving_runtime_in,
    processes_in,
    running,
    summary,
    wait_for,
    write_tasks,
)

STDERR = "see runtime.stderr in the run's folder"
EVENTS = "see events.jsonl in the run's folder and CONTRACT.md"
ERRORS = "run 1: tasks that ended as errors: 4, the first: double/0, told to: see the reasons in tasks.csv"
REWRITTEN = (
    "events are appended and never rewritten; code under test that did this may have done more, "
    "see SECURITY.md"
)
LINES = {
    "crashes": f"run 1: the runtime ended with status 1: the disk of the test is on fire: {STDERR}",
    "killed": f"run 1: the runtime ended with signal 9: {STDERR}",
    "hangs": f"run 1: the runtime hangs: no event and no open request for 1 s: {STDERR}",
    "ignores-sigterm": f"run 1: the runtime hangs: no event and no open request for 1 s: {STDERR}",
    "rewrites-its-events": f"run 1: events.jsonl was rewritten during the run: {REWRITTEN}",
    "writes-no-end": f"run 1: no run_end event: the run is cut short: {EVENTS}",
    "writes-a-broken-line": (
        "run 1: broken event lines in events.jsonl: "
        f"line 2 (not JSON at column 25 (Expecting ':' delimiter)): {EVENTS}"
    ),
    "loses-a-task": f"run 1: 1 task lost, without any outcome: double/3: {EVENTS}",
    "repeats-a-task": f"run 1: 1 task with more than one outcome: double/0: {EVENTS}",
    "claims-success": (
        "run 1: 4 tasks whose outcome does not follow from the attempts: "
        f"double/0, double/1, double/2 and 1 more: {EVENTS}"
    ),
    "leaves-a-process": f"run 1: processes that outlived the runtime and were killed: 1: {STDERR}",
    "leaves-a-workspace": f"run 1: workspaces that were left behind and removed: 1: {STDERR}",
    "gives-up": ERRORS,
    # The harness adopts them, and reaps them while the run goes on.
    "makes-orphans-and-waits-for-their-end": ERRORS,
}
"""What stands first against the row."""
LOST = f"run 1: 4 tasks lost, without any outcome: double/0, double/1, double/2 and 1 more: {EVENTS}"


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, starts_processes: None) -> Path:
    """The folder of one experiment with all of them, with what it printed and its exit status."""
    folder = tmp_path_factory.mktemp("measured")
    runtimes = ",".join(str(misbehaving_runtime_in(folder, fault)) for fault in LINES)
    done = measured_in(
        folder, "--runtimes", runtimes, "--tasks", write_tasks(folder / "tasks.jsonl"), "--limit", 4,
        "--agents", 4, "--controls", "none", "--profile", "instant", "--verifier", "null", "--stall", 1,
    )  # fmt: skip
    (folder / "stdout").write_text(done.stdout)
    (folder / "status").write_text(str(done.returncode))
    return folder


@pytest.mark.parametrize("fault", sorted(LINES))
def test_the_row_is_invalid_and_says_why(fault: str, measured: Path) -> None:
    (row,) = [row for row in summary(measured / "results")["rows"] if row["runtime"] == fault]
    lines = [line_of(failure) for failure in row["failures"]]
    assert lines[0] == LINES[fault]
    assert row["valid"] is False
    assert row["failures"][0]["is_fault"]
    assert f"INVALID {fault}, 4 agents, verifier null, {lines[0]}" in (
        (measured / "stdout").read_text().splitlines()
    )
    if fault in ("crashes", "killed", "hangs"):
        assert LOST in lines


def test_faults_are_a_failure_of_the_command_and_nothing_stays_behind(measured: Path) -> None:
    assert (measured / "status").read_text() == "1"
    assert processes_in(measured) == {}
    assert list(measured.glob("agentdyno-*")) == []


def test_a_program_that_is_not_there(agentdyno: Agentdyno, tasks: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ghost"
    folder.mkdir()
    manifest(folder, "ghost", run=["./ghost"])
    done = agentdyno(
        "run", "--runtimes", folder, "--tasks", tasks, "--controls", "none", "--out", tmp_path / "results"
    )
    assert done.returncode == 1
    failure = summary(tmp_path / "results")["rows"][0]["failures"][0]
    assert line_of(failure) == (
        f"run 1: cannot execute {folder}/ghost in {folder}: No such file or directory: {STDERR}"
    )


def test_a_build_that_fails_shows_the_end_of_what_it_printed(
    agentdyno: Agentdyno, tasks: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "unbuildable"
    folder.mkdir()
    script = "for n in $(seq 100); do echo line $n; done; echo 'main.c:3: expected ;' >&2; exit 4"
    manifest(folder, "unbuildable", build=["sh", "-c", script], run=["true"])
    done = agentdyno("run", "--runtimes", folder, "--tasks", tasks, "--out", tmp_path / "results")
    log = tmp_path / "results" / "latest" / "build" / "unbuildable.log"
    shown = "\n".join(f"  | line {number}" for number in range(87, 101)) + "\n  | main.c:3: expected ;\n"
    assert done.returncode == 1
    assert done.stderr == (
        f"agentdyno: runtime `unbuildable` does not build: sh -c {script} ended with status 4; "
        f"see {log.resolve()}, which ends with:\n{shown}"
    )
    assert log.read_text().startswith("line 1\n")


def test_a_runtime_whose_program_is_missing_says_how_to_get_it(
    agentdyno: Agentdyno, tasks: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "fortran"
    folder.mkdir()
    manifest(folder, "fortran", run=["true"])
    with (folder / "runtime.toml").open("a") as file:
        file.write('requires = [{ program = "no-such-compiler", hint = "apt-get install it" }]\n')
    done = agentdyno("run", "--runtimes", folder, "--tasks", tasks, "--out", tmp_path / "results")
    assert done.returncode == 1
    assert done.stderr == "agentdyno: runtime `fortran` needs `no-such-compiler` (apt-get install it)\n"


@pytest.mark.usefixtures("starts_processes")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_saves_what_there_is_and_leaves_nothing_running(
    number: signal.Signals,
    environment: dict[str, str],
    misbehaving: Callable[[str], Path],
    tasks: Path,
    tmp_path: Path,
) -> None:
    words = ["--runtimes", misbehaving("hangs"), "--tasks", tasks, "--limit", 4, "--agents", 4]
    words += ["--controls", "none"]
    with running(environment, tmp_path, *words, "--profile", "instant", "--verifier", "null") as process:
        # The runtime hangs after its first event, so once that is there the run is under way.
        wait_for("results/raw/*/runs/*/events.jsonl", tmp_path, process)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    (folder,) = (tmp_path / "results" / "raw").iterdir()
    assert said == (
        f"agentdyno: interrupted by {number.name}; what was measured until then is in {folder}; "
        f"`agentdyno run --resume {folder}` goes on with it\n"
    )
    document = summary(tmp_path / "results")
    assert document["experiment"]["complete"] is False
    assert document["rows"][0]["valid"] is False
    assert line_of(document["rows"][0]["failures"][0]) == f"run 1: interrupted by {number.name}: {STDERR}"
    assert processes_in(tmp_path) == {}
    assert list(tmp_path.glob("agentdyno-*")) == []


@pytest.mark.usefixtures("starts_processes")
@pytest.mark.parametrize(
    "moment",
    [
        "results/raw/*",
        "results/raw/*/build/python.log",
        "results/raw/*/tasks",
        "results/raw/*/runs/001-*",
        "results/raw/*/runs/*/journal.jsonl",
        "results/raw/*/runs/*/run.json",
        "results/raw/*/runs/*/samples.jsonl",
        "results/raw/*/runs/001-*/outcome.json",
        "results/raw/*/summary.json",
        "results/raw/*/runs/002-*",
    ],
)
def test_an_interruption_at_any_moment_leaves_nothing_running(
    moment: str, environment: dict[str, str], tasks: Path, tmp_path: Path
) -> None:
    words = ["--runtimes", "python", "--tasks", tasks, "--limit", 4, "--agents", 4, "--repeats", 50]
    with running(environment, tmp_path, *words, "--profile", "instant", "--verifier", "null") as process:
        wait_for(moment, tmp_path, process)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.startswith("agentdyno: interrupted by SIGINT; ")
    assert said.count("\n") == 1
    assert processes_in(tmp_path) == {}
    assert list(tmp_path.glob("agentdyno-*")) == []


@pytest.mark.usefixtures("starts_processes")
def test_when_the_harness_is_killed_its_children_end_too(
    environment: dict[str, str], misbehaving: Callable[[str], Path], tasks: Path, tmp_path: Path
) -> None:
    with running(environment, tmp_path, "--runtimes", misbehaving("hangs"), "--tasks", tasks) as process:
        wait_for("results/raw/*/runs/*/events.jsonl", tmp_path, process)
        left = [pid for pid in processes_in(tmp_path) if pid != process.pid]
        assert len(left) == 2  # the endpoint and the runtime
        pidfds = [os.pidfd_open(pid) for pid in left]
        process.kill()
    for pidfd in pidfds:
        assert select.select([pidfd], [], [], 30)[0] == [pidfd]
        os.close(pidfd)
