"""What becomes of a run whose output nobody can read."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agentdyno.process.signals import Interrupts
from command_line import processes_in

pytestmark = pytest.mark.usefixtures("starts_processes")


def measured(tasks: Path, results: Path, stdout: int, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "agentdyno", "run", "--runtimes", "python", "--tasks", str(tasks)),
            *("--limit", "4", "--agents", "2", "--profile", "instant", "--verifier", "null"),
            *("--controls", "none", "--redo", "0", "--out", str(results)),
        ],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )


def is_complete(results: Path) -> bool:
    document = json.loads((results / "latest" / "summary.json").read_text())
    return bool(document["experiment"]["complete"])


def test_a_reader_that_leaves_does_not_end_the_measurement(tasks: Path, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = measured(tasks, tmp_path / "results", writing)
    os.close(writing)
    _, said = process.communicate(timeout=60)
    # Four tasks are too few for a p95, which is no fault of the runtime.
    assert process.returncode == 0
    assert said == "agentdyno: nobody reads stdout any more; the measurement goes on\n"
    assert is_complete(tmp_path / "results")


def test_an_encoding_that_lacks_characters_ends_nothing(tasks: Path, tmp_path: Path) -> None:
    process = measured(tasks, tmp_path / "results", subprocess.PIPE, PYTHONIOENCODING="ascii")
    printed, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "")
    assert "peak" in printed
    assert printed.isascii()


def test_a_terminal_that_is_closed_interrupts_the_measurement(tasks: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-P", "-m", "agentdyno", "run", "--runtimes", "python", "--tasks", str(tasks)]
    command += ["--limit", "4", "--agents", "2", "--repeats", "50", "--verifier", "null"]
    # The program leads a session whose terminal this is, and hears of its end.
    with subprocess.Popen(
        ["setsid", "--ctty", "--wait", *command, "--out", str(tmp_path / "results")],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"TMPDIR": str(tmp_path), "TERM": "xterm"},
    ) as process:
        os.close(theirs)
        shown = b""
        while b"run 1/" not in shown:
            shown += os.read(ours, 4096)
        os.close(ours)
        assert process.wait(timeout=60) == 129
    assert processes_in(tmp_path) == {}
    assert list(tmp_path.glob("agentdyno-*")) == []
    assert not is_complete(tmp_path / "results")


def test_a_hangup_that_the_caller_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with Interrupts():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_no_space_for_the_output_is_said_in_one_line(environment: dict[str, str]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "agentdyno", "conform", "--list"],
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("agentdyno: stdout, ")
    assert "TMPDIR" in line
    assert "No space left on device" in line


def test_a_ctrl_c_while_versions_are_read_is_no_traceback(
    tasks: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    """The terminal sends it to the whole group, which the programs that tell versions are not in."""
    asked, answer = tmp_path / "asked", tmp_path / "answer"
    os.mkfifo(asked)
    os.mkfifo(answer)
    git = tmp_path / "bin" / "git"
    git.parent.mkdir()
    git.write_text(f'#!/bin/sh\ncase "$*" in *rev-parse*) echo > {asked}; read go < {answer};; esac\n')
    git.chmod(0o755)
    command = [sys.executable, "-P", "-m", "agentdyno", "run", "--runtimes", "python", "--tasks", str(tasks)]
    command += ["--limit", "4", "--agents", "2", "--out", str(tmp_path / "results"), "--verifier", "null"]
    with subprocess.Popen(
        command,
        env=environment | {"PATH": f"{git.parent}:{environment['PATH']}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as process:
        for asking in (1, 2):
            asked.read_text()
            if asking == 2:  # when the results are begun, after the settings were kept
                os.killpg(process.pid, signal.SIGINT)
            answer.write_text("go\n")
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.startswith("agentdyno: interrupted by SIGINT; ")
    assert said.count("\n") == 1
