"""Child processes: what they may do, and that nothing of them is left."""

import asyncio
import errno
import os
import select
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from agentloop import Attempt, Verifier
from agentloop.process import Finished

pytestmark = pytest.mark.usefixtures("starts_processes")

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


def run(folder: Path, script: str, **options: Any) -> Finished:
    """Run a shell script as a verifier."""

    async def verify() -> Finished:
        verifier = Verifier(["sh", "-c", script], **{"env": ENVIRONMENT, **options})
        return await verifier.verify(str(folder), Attempt("T", 1, t_begin=0))

    return asyncio.run(verify())


def wait_for_end(pid: int) -> None:
    """Fail unless the process, which was killed, ends: of all but the leader nobody waits for the end."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    readable, _, _ = select.select([descriptor], [], [], 10)
    os.close(descriptor)
    assert readable, f"process {pid} is still alive"


def open_files() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


@pytest.fixture(autouse=True)
def nothing_is_left() -> Any:
    before = open_files()
    yield
    assert open_files() == before
    with pytest.raises(ChildProcessError):
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG)


def test_exit_code_and_outputs(tmp_path: Path) -> None:
    finished = run(tmp_path, "echo out; echo err >&2; exit 3")
    assert finished == Finished(exit_code=3, signal=None, timed_out=False, stdout=b"out\n", stderr=b"err\n")


def test_signal(tmp_path: Path) -> None:
    finished = run(tmp_path, "kill -SEGV $$")
    assert (finished.exit_code, finished.signal, finished.timed_out) == (None, signal.SIGSEGV, False)


def test_folder_environment_and_stdin(tmp_path: Path) -> None:
    finished = run(
        tmp_path, "pwd; /usr/bin/env -u PWD -u _ -u SHLVL -u OLDPWD; cat", env={**ENVIRONMENT, "X": "ü"}
    )
    folder, *environment = finished.stdout.decode().splitlines()
    assert folder == str(tmp_path)
    assert sorted(environment) == ["PATH=/usr/bin:/bin", "X=ü"]


def test_folder_of_the_parent_is_unchanged(tmp_path: Path) -> None:
    before = os.getcwd()
    run(tmp_path, "true")
    assert os.getcwd() == before


GROUP_AND_SIGNALS = """
import os, signal
print(os.getpgrp() == os.getpid())
python_ignores = {signal.SIGPIPE, signal.SIGXFSZ}
print([s for s in signal.valid_signals() - python_ignores if signal.getsignal(s) is signal.SIG_IGN])
print(signal.pthread_sigmask(signal.SIG_BLOCK, []))
"""


def test_group_of_its_own_and_default_signals(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    try:
        finished = run(tmp_path, f"exec {sys.executable} -c '{GROUP_AND_SIGNALS}'")
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
        signal.signal(signal.SIGINT, before)
    assert finished.stdout.decode().splitlines() == ["True", "[]", "set()"]


def test_timeout_kills_the_group(tmp_path: Path) -> None:
    finished = run(tmp_path, "sleep 1000 & echo $!; echo $$; wait", timeout_s=0.3)
    assert (finished.exit_code, finished.signal, finished.timed_out) == (None, signal.SIGKILL, True)
    for pid in map(int, finished.stdout.split()):
        wait_for_end(pid)


def test_timeout_kills_what_ignores_signals(tmp_path: Path) -> None:
    finished = run(tmp_path, "trap '' TERM INT HUP; echo ready; while :; do sleep 1000; done", timeout_s=1)
    assert (finished.timed_out, finished.stdout) == (True, b"ready\n")


def test_timeout_kills_what_was_stopped(tmp_path: Path) -> None:
    assert run(tmp_path, "kill -STOP $$", timeout_s=0.3).signal == signal.SIGKILL


def test_leader_that_moves_to_another_group_is_killed(tmp_path: Path) -> None:
    move = "import os, time; os.setpgid(0, os.getpgid(os.getppid()))"
    script = f"{move}; print(os.getpid(), flush=True); time.sleep(1000)"
    finished = run(tmp_path, f"exec {sys.executable} -c '{script}'", timeout_s=2)
    assert finished.timed_out
    wait_for_end(int(finished.stdout))


def test_what_the_leader_leaves_behind_is_killed(tmp_path: Path) -> None:
    finished = run(tmp_path, "sleep 1000 >/dev/null 2>&1 & echo $!")
    assert finished.exit_code == 0
    wait_for_end(int(finished.stdout))


def test_grandchild_in_a_session_of_its_own_holds_nobody(tmp_path: Path) -> None:
    finished = run(tmp_path, "setsid sleep 1000 & echo $!", timeout_s=60)
    pid = int(finished.stdout)
    assert (finished.exit_code, finished.timed_out) == (0, False)
    os.kill(pid, signal.SIGKILL)


def test_output_of_a_grandchild_that_writes_for_ever_is_not_read_for_ever(tmp_path: Path) -> None:
    finished = run(
        tmp_path,
        "setsid sh -c 'echo $$ > pid; exec yes' & while ! [ -s pid ]; do :; done",
        timeout_s=60,
        output_limit_bytes=1000,
    )
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert finished.exit_code == 0
    assert len(finished.stdout) <= 1000


ENDLESS_OUTPUT = """
import asyncio
from agentloop import Attempt, Verifier
async def main(timeout_s):
    verifier = Verifier(["yes"], env={"PATH": "/usr/bin:/bin"}, timeout_s=timeout_s, output_limit_bytes=1000)
    return await verifier.verify(".", Attempt("T", 1, t_begin=0))
def peak_kib():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
asyncio.run(main(0.05))
before = peak_kib()
finished = asyncio.run(main(0.5))
print(finished.timed_out, len(finished.stdout), set(finished.stdout.split()), peak_kib() - before < 1024)
"""


def test_endless_output_takes_no_memory(tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "PYTHONPATH": str(Path(__file__).parents[1])}
    measured = run(tmp_path, f"exec {sys.executable} -c '{ENDLESS_OUTPUT}'", env=environment)
    assert measured.stdout.decode() == "True 1000 {b'y'} True\n", measured.stderr.decode()


def test_limits_count_apart_and_keep_the_end(tmp_path: Path) -> None:
    finished = run(tmp_path, "printf 0123456789; printf abc >&2", output_limit_bytes=4)
    assert (finished.stdout, finished.stderr) == (b"6789", b"abc")


def test_output_that_is_no_text(tmp_path: Path) -> None:
    assert run(tmp_path, r"printf '\377\0'").stdout == b"\xff\0"


def test_closed_outputs(tmp_path: Path) -> None:
    assert run(tmp_path, "exec >&- 2>&-; exit 4").exit_code == 4


@pytest.mark.parametrize("script", ["rm -rf ../workspace", "chmod 000 ."])
def test_what_is_done_to_the_folder_does_not_matter(tmp_path: Path, script: str) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    assert run(workspace, script).exit_code == 0


def test_slots_are_given_first_come_first_served(tmp_path: Path) -> None:
    async def verify() -> list[Attempt]:
        verifier = Verifier(["true"], env=ENVIRONMENT, slots=2)
        attempts = [Attempt(str(number), 1, t_begin=0) for number in range(8)]
        await asyncio.gather(*(verifier.verify(str(tmp_path), attempt) for attempt in attempts))
        return attempts

    attempts = asyncio.run(verify())
    spawns = [attempt.t_spawn or 0 for attempt in attempts]
    assert spawns == sorted(spawns)
    for attempt in attempts:
        at_once = [
            other
            for other in attempts
            if (other.t_spawn or 0) <= (attempt.t_spawn or 0) < (other.t_exit or 0)
        ]
        assert len(at_once) <= 2
        stamps = [attempt.t_queue, attempt.t_spawn, attempt.t_started, attempt.t_exit]
        assert stamps == sorted(stamp for stamp in stamps if stamp is not None)


@pytest.mark.parametrize("argv", [["no-such-program"], ["/no/such/program"], ["./no-such-program"]])
def test_program_that_is_not_there(tmp_path: Path, argv: list[str]) -> None:
    verifier = Verifier(argv, env=ENVIRONMENT)
    with pytest.raises(FileNotFoundError):
        asyncio.run(verifier.verify(str(tmp_path), Attempt("T", 1, t_begin=0)))


def test_program_on_the_path_of_the_given_environment_only(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "tool"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho found\n")
    program.chmod(0o755)
    verifier = Verifier(["tool"], env={"PATH": f"/nowhere::.:{program.parent}"})
    finished = asyncio.run(verifier.verify(str(tmp_path), Attempt("T", 1, t_begin=0)))
    assert finished.stdout == b"found\n"


def test_no_descriptor_left_for_the_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(pid: int) -> int:
        pids.append(pid)
        raise OSError(errno.EMFILE, "Too many open files")

    pids: list[int] = []
    monkeypatch.setattr(os, "pidfd_open", fail)
    with pytest.raises(OSError, match="Too many open files"):
        run(tmp_path, "sleep 1000")
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


@pytest.mark.parametrize("watched_before", [0, 1])
def test_output_that_cannot_be_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, watched_before: int
) -> None:
    """The kernel bounds what a user may watch (max_user_watches)."""
    left_to_watch = count(watched_before, -1)
    add_reader = asyncio.SelectorEventLoop.add_reader

    def refuse(self: Any, *arguments: Any) -> None:
        if next(left_to_watch) <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        add_reader(self, *arguments)

    monkeypatch.setattr(asyncio.SelectorEventLoop, "add_reader", refuse)
    pids = spawned(monkeypatch)
    with pytest.raises(OSError, match="No space left on device"):
        run(tmp_path, "sleep 1000")
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_leader_that_has_left_its_group_where_no_descriptor_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(pid: int) -> int:
        while os.getpgid(pid) == pid:
            os.sched_yield()
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(os, "pidfd_open", fail)
    pids = spawned(monkeypatch)
    move = "import os, time; os.setpgid(0, os.getpgid(os.getppid())); time.sleep(1000)"
    with pytest.raises(OSError, match="Too many open files"):
        run(tmp_path, f"exec {sys.executable} -c '{move}'")
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def spawned(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The pids of the children to come."""
    pids: list[int] = []
    spawn = os.posix_spawn

    def noted(*arguments: Any, **options: Any) -> int:
        pids.append(spawn(*arguments, **options))
        return pids[-1]

    monkeypatch.setattr(os, "posix_spawn", noted)
    return pids


def test_event_loops_in_several_threads(tmp_path: Path) -> None:
    """Each child has its own folder, though a process has one for all its threads."""

    def folders_found(folder: Path) -> set[str]:
        folder.mkdir()
        return {run(folder, "pwd").stdout.decode().strip() for _ in range(20)}

    before = os.getcwd()
    folders = [tmp_path / str(number) for number in range(4)]
    with ThreadPoolExecutor() as threads:
        found = list(threads.map(folders_found, folders))
    assert found == [{str(folder)} for folder in folders]
    assert os.getcwd() == before


def test_cancelled_verification_leaves_nothing(tmp_path: Path) -> None:
    async def verify() -> None:
        verifier = Verifier(["sh", "-c", "echo $$ > pid; exec sleep 1000"], env=ENVIRONMENT)
        attempt = Attempt("T", 1, t_begin=0)
        verifying = asyncio.ensure_future(verifier.verify(str(tmp_path), attempt))
        await asyncio.to_thread(wait_for_content, tmp_path / "pid")
        verifying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await verifying
        assert attempt.t_started is not None
        assert attempt.t_exit is None

    asyncio.run(verify())
    wait_for_end(int((tmp_path / "pid").read_text()))


def wait_for_content(path: Path) -> None:
    while not (path.exists() and path.read_text().strip()):
        os.sched_yield()
