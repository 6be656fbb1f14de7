"""The program that runs a verifier and sends receipts, and what the harness believes of them."""

import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from agentdyno.measure import proc
from agentdyno.runner.receipts import listening
from agentdyno.verifiers import find_receipt

pytestmark = pytest.mark.usefixtures("starts_processes")

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
SOLUTION, TESTS = "answer = 42\n", "assert answer == 42\n"
Start = Callable[..., "subprocess.Popen[bytes]"]


class Scene:
    """A run of which only the verifications take place."""

    def __init__(self, folder: Path) -> None:
        self.socket = f"test-{token_hex(8)}"
        self.file = folder / "receipts.jsonl"
        self.workspaces = folder / "w"
        self.workspace = self.workspaces / "attempt"
        self.workspace.mkdir(parents=True)
        (self.workspace / "solution.py").write_text(SOLUTION)
        (self.workspace / "test_solution.py").write_text(TESTS)

    def command(self, script: str) -> list[str]:
        program, _ = find_receipt()
        assert program is not None, "install a C compiler and run runner/setup.sh"
        return [str(program), self.socket, "sh", "-c", script]

    @contextlib.contextmanager
    def listening(self, script: str) -> Iterator[None]:
        """Takes the receipts of verifications that run this script."""
        with listening(self.command(script), ENVIRONMENT, self.workspaces, self.file):
            yield

    def start(self, script: str, **options: Any) -> "subprocess.Popen[bytes]":
        made = {"cwd": self.workspace, "env": ENVIRONMENT, "process_group": 0} | options
        return subprocess.Popen(self.command(script), stdout=subprocess.PIPE, stderr=subprocess.PIPE, **made)

    def verified(self, script: str, **options: Any) -> tuple[int, bytes, bytes]:
        """Verify once, and return exit status, stdout and stderr."""
        with self.listening(script):
            process = self.start(script, **options)
            out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    @property
    def receipts(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    @property
    def receipt(self) -> dict[str, Any]:
        (only,) = self.receipts
        return only


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path.resolve())


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_receipt_says_what_ran_on_what_and_how_it_ended(scene: Scene) -> None:
    assert scene.verified("echo out; echo err >&2; exit 3") == (3, b"out\n", b"err\n")
    its = scene.receipt
    assert (its["solution_sha256"], its["tests_sha256"]) == (sha256(SOLUTION), sha256(TESTS))
    assert (its["exit_code"], its["signal"], its["others"]) == (3, None, 0)
    assert (its["problem"], its["by_attempt"]) == (None, False)
    assert its["t_start"] < its["t_end"] <= its["t_closed"]
    assert its["cpu_us"] > 0


def test_it_does_not_end_before_the_harness_has_looked_at_it(scene: Scene) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as late:
        late.bind(f"\0{scene.socket}")
        late.listen()
        process = scene.start("kill -STOP $$")
        sender, _ = late.accept()
        with sender:
            assert sender.recv(4096).startswith(b"start ")
            (verifier,) = wait_for_children(process.pid)
            os.kill(verifier, signal.SIGKILL)
            while proc.read(verifier) is not None:
                pass
            looked = time.monotonic_ns()
            sender.send(b".")
            kind, ended, *_ = sender.recv(4096).split()
        process.communicate(timeout=60)
    assert (kind, process.returncode) == (b"end", -signal.SIGKILL)
    assert int(ended) > looked


def wait_for_children(pid: int) -> list[int]:
    while not (found := proc.listed_children(pid)):
        pass
    return found


@pytest.mark.parametrize("size", [0, 1, 55, 56, 63, 64, 65, 119, 120, 4096, 10_000])
def test_files_of_any_size_are_hashed(scene: Scene, size: int) -> None:
    (scene.workspace / "solution.py").write_text("x" * size)
    scene.verified("true")
    assert scene.receipt["solution_sha256"] == sha256("x" * size)


def test_what_is_no_file_has_no_hash_and_what_lies_beside_is_counted(scene: Scene) -> None:
    (scene.workspace / "solution.py").unlink()
    (scene.workspace / "solution.py").symlink_to("test_solution.py")
    (scene.workspace / "conftest.py").write_text("")
    (scene.workspace / ".hidden").mkdir()
    scene.verified("true")
    assert (scene.receipt["solution_sha256"], scene.receipt["others"]) == (None, 2)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGTERM, signal.SIGKILL])
def test_it_ends_by_the_signal_that_ended_the_verifier(scene: Scene, number: signal.Signals) -> None:
    status, _, _ = scene.verified(f"kill -{number} $$")
    assert status == -number
    assert (scene.receipt["exit_code"], scene.receipt["signal"]) == (None, number)


def test_a_verifier_that_is_killed_with_its_group_leaves_half_a_receipt(scene: Scene) -> None:
    with scene.listening("echo; sleep 600"):
        process = scene.start("echo; sleep 600")
        assert process.stdout is not None
        process.stdout.readline()
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait(60) == -signal.SIGKILL
    its = scene.receipt
    assert its["solution_sha256"] == sha256(SOLUTION)
    assert (its["t_end"], its["exit_code"], its["signal"]) == (None, None, None)
    assert its["t_closed"] > its["t_start"]


def test_a_signal_for_the_group_is_the_verifiers_to_answer(scene: Scene) -> None:
    script = "trap 'echo told; exit 5' TERM; kill -TERM 0; wait"
    assert scene.verified(script)[:2] == (5, b"told\n")


def test_the_verifier_gets_what_the_receipts_program_got(scene: Scene) -> None:
    script = "env; ls /proc/self/fd | wc -l; grep 'Sig[BI]' /proc/self/status; pwd; cat"
    expected = subprocess.run(
        ["sh", "-c", script],
        cwd=scene.workspace,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    status, out, err = scene.verified(script, stdin=subprocess.DEVNULL)
    assert (status, out, err) == (expected.returncode, expected.stdout, expected.stderr)


def test_a_program_that_is_not_there_is_named(scene: Scene) -> None:
    program, _ = find_receipt()
    with scene.listening("true"):
        done = subprocess.run(
            [str(program), scene.socket, "no-such-program"], env=ENVIRONMENT, capture_output=True
        )
    assert (done.returncode, done.stderr) == (126, b"receipt: no-such-program: No such file or directory\n")


def test_nothing_is_verified_without_the_harness(scene: Scene) -> None:
    done = subprocess.run(scene.command("echo ran"), env=ENVIRONMENT, capture_output=True)
    assert (done.returncode, done.stdout) == (126, b"")
    assert done.stderr == f"receipt: {scene.socket}: Connection refused\n".encode()


FORGED = """
import hashlib, socket, sys
harness = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
harness.connect("\\0" + sys.argv[1])
hashes = [hashlib.sha256(open(name, "rb").read()).hexdigest() for name in ("solution.py", "test_solution.py")]
harness.send(f"start 1 {hashes[0]} {hashes[1]} 0".encode())
harness.send(b"end 2 0 0 9")
print(flush=True)
sys.stdin.read()
"""


def test_a_receipt_that_another_program_sends_is_not_believed(scene: Scene) -> None:
    with scene.listening("true"):
        forger = subprocess.Popen(
            [sys.executable, "-c", FORGED, scene.socket],
            cwd=scene.workspace,
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert forger.stdout is not None
        forger.stdout.readline()
        scene.start("true").communicate(timeout=60)  # The harness has looked at those who came before.
        forger.communicate(timeout=60)
    problems = {receipt["pid"]: receipt["problem"] for receipt in scene.receipts}
    assert problems.pop(forger.pid) == "another program sent it"
    assert list(problems.values()) == [None]


@pytest.mark.parametrize(
    ("options", "script", "problem"),
    [
        ({}, "cat; exit 0", "another command"),
        ({"env": ENVIRONMENT | {"PYTEST_ADDOPTS": "-k nothing"}}, "cat", "another environment"),
        ({"cwd": "/"}, "cat", "not below workspaces"),
    ],
)
def test_a_receipt_of_something_else_is_not_believed(
    scene: Scene, options: dict[str, Any], script: str, problem: str
) -> None:
    with scene.listening("cat"):
        process = scene.start(script, stdin=subprocess.PIPE, **options)
        scene.start("cat", stdin=subprocess.DEVNULL).communicate(timeout=60)
        process.communicate(timeout=60)
    (found,) = [receipt for receipt in scene.receipts if receipt["pid"] == process.pid]
    assert problem in found["problem"]
    assert found["by_attempt"] is False


def test_what_the_code_under_test_sends_is_not_held_against_the_runtime(scene: Scene) -> None:
    (scene.workspace / "forge.py").write_text(FORGED)
    script = f"{sys.executable} forge.py {scene.socket} </dev/null"
    scene.verified(script)
    by_attempt = [receipt["by_attempt"] for receipt in scene.receipts]
    assert sorted(by_attempt) == [False, True]


@pytest.mark.parametrize(
    "message", [b"", b"start", b"end 1 0 0 0", b"start 1 a b 0 0", b"\xff", b"start x a b 0"]
)
def test_any_message_is_taken_without_a_failure(scene: Scene, message: bytes) -> None:
    with scene.listening("true"), socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sender:
        sender.connect(f"\0{scene.socket}")
        sender.send(message)
    assert scene.receipt["problem"] is not None
