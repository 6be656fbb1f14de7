"""The Python runtime with one way to look better than it is, named by the first argument; the second is the
run file. All else is in order.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "runtimes" / "python"))

from agentloop import agent
from agentloop.__main__ import main
from agentloop.events import Attempt, EventFile
from agentloop.messages import Conversation
from agentloop.process import Finished
from agentloop.tools import ToolDispatcher
from agentloop.verifier import Verifier

MIB = 1024 * 1024
HIDDEN_MIB = 50
HIDDEN_CPU_S = 0.4
DELAY_S = 0.05
"""What is hidden."""

LOOKED_AT_S = 0.4
"""The runtime lives on for so long, that a process of its own is there when the harness looks."""

STOPPED_S = 0.7
HOLD = f"import sys; held = b'x' * ({HIDDEN_MIB} << 20); print(flush=True); sys.stdin.read()"
verify, emit = Verifier.verify, EventFile.emit
alive, ours = os.pipe()
"""At the end of this pipe is who outlives us by no more than a moment."""


def orphan(work) -> None:
    """Have `work` done by a process of another session, whose parent is gone."""
    ready, done = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.close(ours)
            work()
            os.write(done, b".")
            os.read(alive, 1)
        os._exit(0)
    os.wait()
    os.read(ready, 1)


def hides_memory_in_an_orphan() -> None:
    held = []
    orphan(lambda: held.append(b"x" * (HIDDEN_MIB * MIB)))


def works_in_an_orphan() -> None:
    def work() -> None:
        end = time.process_time() + HIDDEN_CPU_S
        while time.process_time() < end:
            pass

    orphan(work)


def hold(**options) -> None:
    """Have memory held by another process until this one ends."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options
    )
    kept.append(child)
    child.stdout.readline()


def hides_memory_in_a_group_of_its_own() -> None:
    hold(process_group=0)


def hides_memory_in_what_looks_like_a_test() -> None:
    hold(start_new_session=True, env={"AGENTDYNO_ATTEMPT": "1", "PATH": os.environ["PATH"]})


def resets_its_high_water_mark() -> None:
    def grow_and_shrink() -> None:
        time.sleep(0.1)
        held = bytearray(b"x") * (HIDDEN_MIB * MIB)
        time.sleep(0.1)
        del held
        Path("/proc/self/clear_refs").write_text("5")

    threading.Thread(target=grow_and_shrink).start()


def stops_the_harness() -> None:
    harness, stopped = os.getppid(), []

    def stop_once(event) -> dict:
        if not stopped:
            stopped.append(event)
            os.kill(harness, signal.SIGSTOP)
            time.sleep(STOPPED_S)
            os.kill(harness, signal.SIGCONT)
        return {}

    change_attempts(stop_once)


def raises_its_priority() -> None:
    os.setpriority(os.PRIO_PROCESS, 0, -10)


def answers_from_a_cache() -> None:
    async def remember(self, folder, attempt) -> Finished:
        attempt.t_queue = attempt.t_spawn = attempt.t_started = attempt.t_exit = time.monotonic_ns()
        attempt.exit_code = 0
        return Finished(0, None, False, b"1 passed in 0.00s\n", b"")

    Verifier.verify = remember


def write_otherwise(change) -> None:
    """Have the files of an attempt written as `change` has them."""
    write_file = ToolDispatcher.write_file

    def write(self, name, content) -> None:
        for each in change(name, content):
            write_file(self, *each)

    ToolDispatcher.write_file = write


def verifies_another_solution() -> None:
    right = "class solution: ...\n"
    write_otherwise(lambda name, content: [(name, right if name == "solution.py" else content)])


def leaves_tests_out() -> None:
    write_otherwise(lambda name, content: [(name, content.replace("assert", "# assert"))])


def brings_a_conftest() -> None:
    write_otherwise(lambda name, content: [(name, content), ("conftest.py", "collect_ignore_glob = ['*']\n")])


def make_otherwise(argv=lambda argv: argv, env=lambda env: env) -> None:
    """Have another command run, or in another environment."""
    make = Verifier.__init__

    def make_another(self, its, **options) -> None:
        make(self, argv(its), **options | {"env": env(options["env"])})

    Verifier.__init__ = make_another


def runs_another_command() -> None:
    make_otherwise(argv=lambda argv: [*argv, "--exitfirst"])


def runs_it_in_another_environment() -> None:
    make_otherwise(env=lambda env: {**env, "PYTEST_ADDOPTS": "-k nothing"})


def runs_it_without_a_receipt() -> None:
    make_otherwise(argv=lambda argv: argv[2:])


def forges_receipts() -> None:
    def forge(name: str, folder: str) -> None:
        files = [Path(folder, file).read_bytes() for file in ("solution.py", "test_solution.py")]
        hashes = " ".join(sha256(content).hexdigest() for content in files)
        harness = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        harness.connect(f"\0{name}")
        harness.send(f"start {time.monotonic_ns()} {hashes} 0".encode())
        harness.send(f"end {time.monotonic_ns()} 0 0 99".encode())
        kept.append(harness)

    async def verify_nothing(self, folder, attempt) -> Finished:
        attempt.t_queue = attempt.t_spawn = attempt.t_started = time.monotonic_ns()
        forge(self._argv[1], folder)
        attempt.t_exit = time.monotonic_ns()
        attempt.exit_code = 0
        return Finished(0, None, False, b"1 passed in 0.00s\n", b"")

    Verifier.verify = verify_nothing


def says_that_there_is_no_code() -> None:
    agent.extract = lambda reply, entry_point: None


def reports_another_exit() -> None:
    change_attempts(lambda event: {"exit_code": 1 if event["exit_code"] == 0 else event["exit_code"]})


def verifies_until_it_passes() -> None:
    async def verify_again(self, folder, attempt) -> Finished:
        await verify(self, folder, Attempt(attempt.task, attempt.attempt, attempt.t_begin))
        return await verify(self, folder, attempt)

    Verifier.verify = verify_again


def counts_its_work_as_verification() -> None:
    async def verify_and_work(self, folder, attempt) -> Finished:
        finished = await verify(self, folder, attempt)
        await asyncio.sleep(DELAY_S)
        attempt.t_exit = time.monotonic_ns()
        return finished

    Verifier.verify = verify_and_work


def counts_its_work_as_the_queue() -> None:
    async def work_and_verify(self, folder, attempt) -> Finished:
        t_queue = time.monotonic_ns()
        await asyncio.sleep(DELAY_S)
        finished = await verify(self, folder, attempt)
        attempt.t_queue = t_queue
        return finished

    Verifier.verify = work_and_verify


def works_between_attempts() -> None:
    def following(self) -> Attempt:
        time.sleep(DELAY_S)
        return Attempt(self.task, self.attempt + 1, t_begin=time.monotonic_ns())

    Attempt.following = following


def change_attempts(change) -> None:
    """Have the events of attempts say something else."""

    def emit_changed(self, event) -> None:
        emit(self, {**event, **change(event)} if event["event"] == "attempt" else event)

    EventFile.emit = emit_changed


def claims_time_for_failed_tries() -> None:
    change_attempts(lambda event: {"transport_ns": 1_000_000})


def has_the_end_before_it_was_sent() -> None:
    change_attempts(lambda event: dict.fromkeys(("t_first", "t_last"), event["t_request"]))


def reports_another_reply() -> None:
    change_attempts(lambda event: {"completion_sha256": "0" * 64})


def reports_fewer_tokens() -> None:
    change_attempts(lambda event: {"usage": {"prompt_tokens": 1, "completion_tokens": 1}})


def asks_for_less() -> None:
    body = Conversation.body
    Conversation.body = lambda self, model, request: body(self, model, {**request, "max_tokens": 4000})


kept: list = []
globals()[sys.argv[1].replace("-", "_")]()
status = main(sys.argv[2:])
time.sleep(LOOKED_AT_S)
for child in kept:
    if isinstance(child, subprocess.Popen):
        child.stdin.close()
        child.wait()
sys.exit(status)
