"""What makes the endpoint an instrument: its stamps are true and its deadlines do not move."""

import asyncio
import json
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic_ns
from typing import Any

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from agentdyno.endpoint.exchange import Exchange
from agentdyno.endpoint.journal import Journal, Lateness
from agentdyno.endpoint.schedule import Schedule
from agentdyno.endpoint.server import Server

Serve = Callable[..., Any]


def test_a_chunk_has_left_when_it_is_stamped(tmp_path: Path) -> None:
    """No loop may keep what is written for later: the client can read it before our callback returns."""
    readable = []
    answered = asyncio.Event()

    class Answers:
        def complete(self, exchange: Exchange) -> None:
            for _ in range(3):
                exchange.write(b"chunk", monotonic_ns())
                readable.append(
                    select.select([client], [], [], 10)[0] == [client] and client.recv(99) == b"chunk"
                )
            exchange.complete("stop")
            answered.set()

        def models(self, exchange: Exchange) -> None:
            raise NotImplementedError

    async def run() -> None:
        loop = asyncio.get_running_loop()
        journal = Journal(loop)
        server = Server(Answers(), Schedule(loop), journal)
        url = await server.listen("127.0.0.1", 0)
        await loop.sock_connect(client, ("127.0.0.1", int(url.split(":")[2].removesuffix("/v1"))))
        await loop.sock_sendall(client, b"POST /v1/chat/completions HTTP/1.1\r\n\r\n")
        await answered.wait()
        server.close()
        journal.end()

    with socket.socket() as client:
        client.setblocking(False)
        uvloop.run(run())
    assert readable == [True, True, True]


class Steps:
    """Notes when it is called, and has its deadlines fixed in advance."""

    def __init__(self, dues: list[int], seen: list[tuple[int, int]], over: "asyncio.Future[None]") -> None:
        self.dues = dues
        self.seen = seen
        self.over = over

    def step(self) -> int | None:
        self.seen.append((self.dues.pop(0), monotonic_ns()))
        if self.dues:
            return self.dues[0]
        self.over.set_result(None)
        return None


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(0, 3_000_000), min_size=1, max_size=40), min_size=1, max_size=10))
def test_everything_is_done_in_the_order_of_deadlines_and_never_early(offsets: list[list[int]]) -> None:
    seen: list[tuple[int, int]] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        schedule = Schedule(loop)
        overs = [loop.create_future() for _ in offsets]
        now = monotonic_ns()
        for row, over in zip(offsets, overs, strict=True):
            dues = sorted(now + offset for offset in row)
            schedule.add(dues[0], Steps(dues, seen, over))
        await asyncio.gather(*overs)

    uvloop.run(run())
    assert [due for due, _ in seen] == sorted(due for due, _ in seen)
    assert all(done >= due for due, done in seen)


@given(st.lists(st.integers(0, 1000), min_size=1), st.integers(1, 100))
def test_percentiles_are_the_nearest_rank(late_us: list[int], percent: int) -> None:
    lateness = Lateness()
    lateness.update(late_us)
    assert lateness.percentile(percent) == sorted(late_us)[-(-len(late_us) * percent // 100) - 1]
    assert Lateness().percentile(percent) is None


def test_a_killed_endpoint_leaves_whole_lines(serve: Serve, tmp_path: Path) -> None:
    serving = serve()
    body = json.dumps({"model": "agentdyno-sim", "messages": [{"role": "user", "content": "x"}]}).encode()
    request = b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    path = tmp_path / "journal-0.jsonl"
    with socket.create_connection(serving.address, timeout=30) as client:
        while path.stat().st_size < 50_000:
            client.sendall(request)
            client.recv(65536)
    serving.process.send_signal(signal.SIGKILL)
    serving.process.wait()
    text = path.read_text()
    assert text.endswith("\n")
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["id"] for line in lines[1:]] == list(range(1, len(lines)))


def calibrate(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "agentdyno", "calibrate", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_small_calibration() -> None:
    done = calibrate("--streams", "20", "--rate", "100", "--seconds", "0.3", "--json")
    [calibration] = json.loads(done.stdout)
    assert (calibration["streams"], calibration["rate"]) == (20, 100.0)
    assert (calibration["max_in_flight"], calibration["completed"]) == (20, 20)
    assert calibration["events_per_s"] > 0
    assert (
        0
        <= calibration["lateness_p50_ms"]
        <= calibration["lateness_p99_ms"]
        <= calibration["lateness_max_ms"]
    )
    assert done.returncode == (1 if calibration["faults"] else 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--streams", "0"], "calibrate: --streams, --rate and --seconds must be above 0"),
        (["--seconds", "-1"], "calibrate: --streams, --rate and --seconds must be above 0"),
    ],
)
def test_impossible_calibrations(arguments: list[str], message: str) -> None:
    done = calibrate(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"agentdyno: {message}\n")


def test_too_few_open_files() -> None:
    shell = f"ulimit -Sn 100 && ulimit -Hn 100 && exec {sys.executable} -m agentdyno calibrate --streams 1000"
    done = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "agentdyno: 1000 streams need 1064 open files and the hard limit is 100: ask for fewer, or raise the "
        "limit in this shell, as root: `ulimit -n 1064` "
        "(for good: `* hard nofile 1064` in /etc/security/limits.conf)\n"
    )
