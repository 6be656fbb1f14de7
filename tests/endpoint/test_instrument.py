"""What makes the endpoint an instrument: its stamps are true and its deadlines do not move."""

import asyncio
import json
import re
import resource
import select
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from time import monotonic_ns
from typing import Any

import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from agentdyno.endpoint.exchange import Exchange
from agentdyno.endpoint.journal import Journal, Lateness
from agentdyno.endpoint.server import Server
from agentdyno.endpoint.simulation import Schedule
from agentdyno.process.limits import MOST_RESERVED

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


def test_the_table_of_descriptors_need_not_grow_while_agents_connect(serve: Serve) -> None:
    """Growing it waits for the other threads, and all agents that connect meanwhile wait as well."""
    serving = serve()
    status = Path(f"/proc/{serving.process.pid}/status").read_text()
    [slots] = re.findall(r"^FDSize:\s+(\d+)$", status, re.MULTILINE)
    assert int(slots) >= min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], MOST_RESERVED)


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
