"""What ran on the processors beside a run."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agentdyno.measure.foreign import Watch
from agentdyno.runner.settings import RealEndpoint
from measure import synthetic

ALLOWED = sorted(os.sched_getaffinity(0))
HZ = os.sysconf("SC_CLK_TCK")


def stat(busy_s: float, idle_s: float, forbidden_s: float = 0.0) -> str:
    """A /proc/stat: the processors that this process may use share the seconds; another works for itself."""
    others = [number for number in range(max(ALLOWED) + 2) if number not in ALLOWED]
    lines = ["cpu  9 9 9 9 9 9 9 9 9 9"]
    for number in range(max(ALLOWED) + 2):
        busy, idle = (forbidden_s, 0.0) if number in others else (busy_s, idle_s)
        share = 1 if number in others else len(ALLOWED)
        lines.append(f"cpu{number} {round(busy * HZ / share)} 0 0 {round(idle * HZ / share)} 0 0 0 0 0 0")
    return "\n".join([*lines, "intr 5", ""])


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    return synthetic.proc(tmp_path / "proc", "", stat=stat(100, 1000))


def test_it_is_a_share_of_the_processors_that_this_process_may_use(proc: Path) -> None:
    watch = Watch(proc)
    (proc / "stat").write_text(stat(100 + 3000, 1000 + 1000, forbidden_s=500))
    assert watch.load().share == pytest.approx(0.75, abs=0.01)


def burn(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


@pytest.mark.usefixtures("starts_processes")
def test_what_this_process_and_what_it_reaped_used_is_not_foreign(proc: Path) -> None:
    watch = Watch(proc)
    burn(0.3)
    work = "import time\nwhile time.process_time() < 0.3: pass"
    subprocess.run([sys.executable, "-P", "-c", work], check=True)
    (proc / "stat").write_text(stat(100 + 0.6, 1000 + 0.6))
    assert watch.load().share == 0
    (proc / "stat").write_text(stat(100 + 600, 1000 + 0.6))
    assert watch.load().share == pytest.approx(0.998, abs=0.002)


SERVER = """
import os, signal, socket, time
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    os.read(0, 1)
    os.fork()
    while time.process_time() < 0.3: pass
    print("done", flush=True)
    signal.pause()
"""


@pytest.mark.usefixtures("starts_processes")
def test_a_model_server_of_this_machine_is_not_foreign(proc: Path) -> None:
    words = [sys.executable, "-P", "-c", SERVER]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        port = int(server.stdout.readline())
        watch, blind = Watch(proc, server_port=port), Watch(proc)
        server.stdin.write(b"x")
        server.stdin.flush()
        assert [server.stdout.readline() for _ in range(2)] == [b"done\n"] * 2
        (proc / "stat").write_text(stat(100 + 0.6, 1000 + 0.6))
        found, seen = watch.load(), blind.load()
        os.killpg(server.pid, signal.SIGKILL)
    # A clock tick of each of user and system time may be missing.
    assert found.share == pytest.approx(0, abs=0.04)
    assert seen.share == pytest.approx(0.5, abs=0.04)


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("http://127.0.0.1:8000/v1", 8000),
        ("http://localhost/v1", 80),
        ("https://[::1]/v1", 443),
        ("https://models.example/v1", None),
        ("http://10.0.0.1:8000/v1", None),
    ],
)
def test_which_servers_are_of_this_machine(url: str, port: int | None) -> None:
    assert RealEndpoint(url, "m").local_port == port


def test_a_machine_that_does_not_tell(tmp_path: Path) -> None:
    assert Watch(tmp_path).load().share is None


@pytest.mark.usefixtures("starts_processes")
def test_the_programs_that_took_most_of_it_are_named(tmp_path: Path) -> None:
    spinner = tmp_path / "spinner"
    spinner.symlink_to("/bin/sh")
    watch = Watch()
    with subprocess.Popen([spinner, "-c", "while :; do :; done"]) as spinning:
        try:
            while "spinner" not in watch.load().programs:
                pass
        finally:
            spinning.kill()
    assert 0 <= (watch.load().share or 0) <= 1
