"""An endpoint that fails is blamed for that, and the runtime is not; its run does not count."""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agentdyno.endpoint import process
from agentdyno.endpoint.process import started
from agentdyno.errors import UserError
from command_line import Agentdyno, plain_environment, processes_in, running, summary, wait_for

pytestmark = pytest.mark.usefixtures("starts_processes")


def test_a_run_whose_endpoint_dies_is_made_again_by_resume(
    agentdyno: Agentdyno, misbehaving_agent: Callable[[str], Path], tmp_path: Path
) -> None:
    fault = "hangs-in-its-second-start"
    words = ["--runtimes", misbehaving_agent(fault), "--limit", 4, "--agents", 4, "--repeats", 2]
    words += ["--controls", "none", "--profile", "instant", "--verifier", "null"]
    with running(plain_environment(), tmp_path, *words) as harness:
        wait_for("results/raw/*/runs/002-*/events.jsonl", tmp_path, harness)
        (endpoint,) = [pid for pid, command in processes_in(tmp_path).items() if " serve " in command]
        os.kill(endpoint, signal.SIGKILL)
        printed, said = harness.communicate(timeout=60)
    assert harness.returncode == 1
    (folder,) = (tmp_path / "results" / "raw").iterdir()
    (second,) = folder.glob("runs/002-*")
    assert said == (
        f"agentdyno: {second}: the endpoint failed: it ended with signal 9; what was measured until then is "
        f"in {folder}; `agentdyno run --resume {folder}` goes on with it\n"
    )
    assert json.loads((second / "outcome.json").read_text())["endpoint_problem"] == "it ended with signal 9"
    document = summary(tmp_path / "results")
    assert [run["block"] for run in document["experiment"]["runs"]] == [1]
    assert not any(failure["is_fault"] for failure in document["rows"][0]["failures"])
    assert "peak" in printed  # the table of what there is
    assert agentdyno("verify", folder).returncode == 0

    done = agentdyno("run", "--resume", folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert [run["block"] for run in summary(tmp_path / "results")["experiment"]["runs"]] == [1, 2]
    assert processes_in(tmp_path) == {}


def endpoint_that(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str) -> None:
    """Have this script started in place of the endpoint."""
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    real = process.Child
    monkeypatch.setattr(process, "Child", lambda argv, **how: real([str(program)], **how))


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("kill -9 $$", "it ended with signal 9"),
        ("exit 3", "it ended with status 3"),
        (
            "echo first >&2; echo 'agentdyno: no space left' >&2; exit 1",
            "it ended with status 1: no space left",
        ),
        # What it started holds its stdout, so that the end of the output does not come.
        ("sleep 600 & exit 4", "it ended with status 4"),
        ("echo http://; echo more; exit 0", None),
        ("echo something else; exit 5", "it ended with status 5"),
    ],
)
def test_how_it_ended_while_it_started_is_said_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, said: str | None
) -> None:
    monkeypatch.setattr(process, "START_S", 600.0)
    endpoint_that(monkeypatch, tmp_path, script)
    if said is None:
        with started([], tmp_path / "stderr") as (_, url):
            assert url.startswith("http")
        return
    with pytest.raises(UserError) as found, started([], tmp_path / "stderr"):
        pass
    assert str(found.value) == f"the endpoint did not start: {said}"


def test_one_that_never_listens_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(process, "START_S", 0.5)
    endpoint_that(monkeypatch, tmp_path, f"exec {sys.executable} -c 'import signal; signal.pause()'")
    with (
        pytest.raises(UserError, match=r"^the endpoint did not start: .* no address"),
        started([], tmp_path / "err"),
    ):
        pass
