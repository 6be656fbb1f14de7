"""A run beside other programs is measured again, and its times are marked."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import agentdyno as library
from command_line import Agentdyno, summary

SMALL = (
    "--runtimes",
    "python",
    "--agents",
    2,
    "--limit",
    4,
    "--profile",
    "instant",
    "--verifier",
    "null",
    "--controls",
    "none",
)


@pytest.fixture
def spinners(tmp_path: Path, starts_processes: None) -> Iterator[None]:
    """Programs that want every processor, by a name of their own."""
    name = tmp_path / "spinner"
    name.symlink_to("/bin/sh")
    busy = [subprocess.Popen([name, "-c", "while :; do :; done"]) for _ in os.sched_getaffinity(0)]
    yield
    for process in busy:
        process.kill()
        process.wait()


@pytest.mark.usefixtures("spinners")
def test_a_disturbed_run_is_made_again_and_the_last_counts(
    agentdyno: Agentdyno, tasks: Path, tmp_path: Path
) -> None:
    done = agentdyno("run", *SMALL, "--tasks", tasks, "--redo", 1, "--out", tmp_path / "results")
    assert done.returncode == 0
    document = summary(tmp_path / "results")
    first, again = document["experiment"]["runs"]
    assert first["block"] == again["block"] == 1
    assert first["folder"] != again["folder"]
    (row,) = document["rows"]
    assert len(row["metrics"]["foreign_cpu_share"]["values"]) == 1
    (failure,) = (each for each in row["failures"] if each["gate"] == "little foreign load")
    assert "spinner" in failure["reason"]
    assert (failure["kinds"], failure["is_fault"]) == (["processor time", "time"], False)
    assert {"memory", "outcome"} & {*row["invalid_kinds"]} == set()
    assert "disturbed the first try: one run" in " ".join(done.stdout.split())

    experiment = library.open_experiment(tmp_path / "results" / "latest")
    assert [run.folder.name for run in experiment.runs] == [again["folder"].removeprefix("runs/")]
    assert len(list(experiment.tasks)) == 4
    assert agentdyno("verify", tmp_path / "results" / "latest").returncode == 0
    resumed = agentdyno("run", "--resume", tmp_path / "results" / "latest")
    assert "run 2, made again: python-2-null-instant is there already" in resumed.stdout + resumed.stderr


@pytest.mark.usefixtures("spinners")
def test_nothing_is_made_again_unless_asked_for(agentdyno: Agentdyno, tasks: Path, tmp_path: Path) -> None:
    agentdyno("run", *SMALL, "--tasks", tasks, "--redo", 0, "--out", tmp_path / "results")
    assert len(summary(tmp_path / "results")["experiment"]["runs"]) == 1
