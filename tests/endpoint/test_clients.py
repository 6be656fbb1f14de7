"""Clients that ask for the wrong thing, stop half-way, do not read, or vanish."""

import asyncio
import contextlib
import json
import select
import socket
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentdyno.endpoint.api import Catalogue
from agentdyno.endpoint.connection import TIMEOUTS_S, Wait
from agentdyno.endpoint.journal import Journal
from agentdyno.endpoint.profile import parse_profile
from agentdyno.endpoint.server import Server
from agentdyno.endpoint.simulation import Schedule, Simulation

Serve = Callable[..., Any]
HELLO = {"model": "agentdyno-sim", "messages": [{"role": "user", "content": "Hello"}]}


def request_bytes(
    body: bytes | dict[str, Any], line: str = "POST /v1/chat/completions", head: str = ""
) -> bytes:
    if isinstance(body, dict):
        body = json.dumps(body).encode()
    return f"{line} HTTP/1.1\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body


def exchange(address: tuple[str, int], sent: bytes) -> tuple[int, bytes, bytes]:
    """Send bytes, read until the server closes; status, head and body of the only response."""
    with socket.create_connection(address, timeout=30) as client:
        client.sendall(sent)
        received = b"".join(iter(lambda: client.recv(65536), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"Content-Length: %d" % len(body) in head
    return int(head.split()[1]), head, body


CLOSE = "Connection: close\r\n"
WRONG_BODIES: list[tuple[bytes | dict[str, Any], str, str | None, str]] = [
    (b"{", "invalid_json", None,
     "The body is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)."),
    (b"", "invalid_json", None, "The body is not JSON: Expecting value: line 1 column 1 (char 0)."),
    (b"\xff", "invalid_json", None,
     "The body is not UTF-8: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte."),
    (b"[" * 100_000, "invalid_json", None, "The body is nested too deeply."),
    (b'{"model": NaN}', "invalid_json", None, "The body is not JSON: NaN is not a JSON value."),
    (b"[]", "invalid_type", None, "The body must be a JSON object."),
    ({}, "missing_required_parameter", "model", "model is missing."),
    ({**HELLO, "model": 1}, "invalid_type", "model", "model must be a string."),
    ({"model": "m"}, "missing_required_parameter", "messages", "messages is missing."),
    ({**HELLO, "messages": {}}, "invalid_type", "messages", "messages must be an array."),
    ({**HELLO, "messages": []}, "empty_array", "messages", "messages is empty."),
    ({**HELLO, "messages": ["x"]}, "invalid_type", "messages[0]", "messages[0] must be an object."),
    ({**HELLO, "messages": [{}]}, "missing_required_parameter", "messages[0].role",
     "messages[0].role is missing."),
    ({**HELLO, "messages": [{"role": "user", "content": 1}]}, "invalid_type", "messages[0].content",
     "messages[0].content must be a string or an array."),
    ({**HELLO, "messages": [{"role": "user", "content": [1]}]}, "invalid_type", "messages[0].content",
     "messages[0].content must be an array of objects."),
    ({**HELLO, "stream": 1}, "invalid_type", "stream", "stream must be a boolean."),
    ({**HELLO, "stream_options": True}, "invalid_type", "stream_options",
     "stream_options must be an object."),
    ({**HELLO, "stream_options": {"include_usage": "yes"}}, "invalid_type", "stream_options.include_usage",
     "stream_options.include_usage must be a boolean."),
    ({**HELLO, "max_tokens": "1"}, "invalid_type", "max_tokens", "max_tokens must be an integer."),
    ({**HELLO, "max_tokens": True}, "invalid_type", "max_tokens", "max_tokens must be an integer."),
    ({**HELLO, "max_completion_tokens": 0}, "integer_below_min_value", "max_completion_tokens",
     "max_completion_tokens must be at least 1."),
    ({**HELLO, "temperature": "hot"}, "invalid_type", "temperature", "temperature must be a number."),
    ({**HELLO, "n": 2}, "unsupported_value", "n", "Only n = 1 is supported."),
]  # fmt: skip


def test_wrong_bodies_get_error_objects(serve: Serve) -> None:
    serving = serve()
    for body, code, param, message in WRONG_BODIES:
        status, _, answer = exchange(serving.address, request_bytes(body, head=CLOSE))
        error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
        assert (status, json.loads(answer)) == (400, {"error": error})
    _, *lines, end = serving.stop()
    assert [(line["status"], line["error"], line["finish"]) for line in lines] == [
        (400, code, "error") for _, code, _, _ in WRONG_BODIES
    ]
    assert end["requests"] == len(WRONG_BODIES)


@pytest.mark.parametrize(
    ("sent", "status", "code", "message"),
    [
        (request_bytes(HELLO, "POST /v1/completions", CLOSE), 404, "unknown_url",
         "Unknown path: POST /v1/completions."),
        (request_bytes(b"", "GET /v1/chat/completions", CLOSE), 405, "method_not_allowed",
         "/v1/chat/completions takes POST, not GET."),
        (request_bytes({**HELLO, "model": "gpt-4o"}, head=CLOSE), 404, "model_not_found",
         "The model 'gpt-4o' does not exist; 'agentdyno-sim' does."),
        (b"CONNECT host:443 HTTP/1.1\r\n\r\n", 405, "method_not_allowed",
         "This is not a tunnel."),
        (b"GET /health HTTP/1.0\r\n\r\n", 505, "http_version_not_supported",
         "Only HTTP/1.1 is spoken here."),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "invalid_http",
         "The request is not HTTP/1.1: Invalid method encountered."),
        (b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 8388609\r\n\r\n", 413, "request_too_large",
         "The body is larger than 8388608 bytes."),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n900000\r\n" + b" " * 0x900000, 413,
         "request_too_large", "The body is larger than 8388608 bytes."),
        (b"GET /health HTTP/1.1\r\nX: " + b"x" * 66_000 + b"\r\n\r\n", 431, "header_too_large",
         "The head of the request is larger than 65536 bytes."),
        (b"GET /" + b"x" * 66_000, 431, "header_too_large",
         "The head of the request is larger than 65536 bytes."),
    ],
    ids=["path", "method", "model", "tunnel", "version", "tls", "length", "chunked", "header", "line"],
)  # fmt: skip
def test_what_is_refused(serve: Serve, sent: bytes, status: int, code: str, message: str) -> None:
    serving = serve()
    answered, head, body = exchange(serving.address, sent)
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    if code == "model_not_found":
        error["param"] = "model"
    assert (answered, json.loads(body)) == (status, {"error": error})
    assert b"Connection: close" in head
    assert (b"Allow: " in head) is (status == 405)
    _, line, _ = serving.stop()
    assert (line["status"], line["error"], line["finish"]) == (status, code, "error")


def test_other_ways_to_ask(serve: Serve) -> None:
    serving = serve()
    status, _, body = exchange(serving.address, request_bytes(HELLO, "POST /v1/chat/completions?a=b", CLOSE))
    assert (status, json.loads(body)["object"]) == (200, "chat.completion")
    with socket.create_connection(serving.address, timeout=30) as client:
        client.sendall(request_bytes(HELLO, head="Upgrade: h2c\r\nConnection: Upgrade\r\n"))
        client.sendall(request_bytes(b"", "GET /nowhere", CLOSE))
        answers = b"".join(iter(lambda: client.recv(65536), b""))
    assert [answers.count(b"HTTP/1.1 %d " % status) for status in (200, 404)] == [1, 1]
    with socket.create_connection(serving.address, timeout=30) as client:
        whole = request_bytes(HELLO, head=f"Expect: 100-continue\r\n{CLOSE}")
        head, _, body = whole.partition(b"\r\n\r\n")
        client.sendall(head + b"\r\n\r\n")
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        assert client.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
    with socket.create_connection(serving.address, timeout=30) as client:
        client.sendall(b"HEAD /health HTTP/1.1\r\n\r\nGET /health HTTP/1.1\r\nConnection: close\r\n\r\n")
        answers = b"".join(iter(lambda: client.recv(65536), b""))
    assert answers.startswith(b"HTTP/1.1 405 Method Not Allowed\r\n")
    assert answers.partition(b"\r\n\r\n")[2].startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_request_may_come_byte_by_byte(serve: Serve) -> None:
    serving = serve()
    with socket.create_connection(serving.address, timeout=30) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request_bytes({**HELLO, "max_tokens": 2}, head=CLOSE):
            client.sendall(bytes([byte]))
        received = b"".join(iter(lambda: client.recv(65536), b""))
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert [line["status"] for line in serving.stop() if line["kind"] == "request"] == [200]


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory, starts_processes: None) -> Any:
    """An address that many hostile clients share."""
    command = [sys.executable, "-m", "agentdyno", "serve", "--limit", "1", "--profile", "instant"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            assert process.stdout is not None
            yield "127.0.0.1", int(process.stdout.readline().rpartition(":")[2].removesuffix("/v1\n"))
        finally:
            process.terminate()
            _, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.binary(max_size=300), cut=st.integers(0, 200), at=st.integers(0, 200))
def test_no_bytes_bring_it_down(lasting: tuple[str, int], junk: bytes, cut: int, at: int) -> None:
    whole = request_bytes({**HELLO, "max_tokens": 1}, head=CLOSE)
    with socket.create_connection(lasting, timeout=30) as client:
        client.sendall(whole[:cut] + junk + whole[at:])
        client.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            while client.recv(65536):
                pass
    assert exchange(lasting, request_bytes(b"", "GET /health", CLOSE))[0] == 200


@contextlib.asynccontextmanager
async def endpoint(
    journal_path: Path, short_timeouts: dict[Wait, float], model: str = "agentdyno-sim"
) -> AsyncIterator[tuple[str, int]]:
    """An endpoint in this process, which is less patient than the command's."""
    loop = asyncio.get_running_loop()
    schedule = Schedule(loop)
    simulation = Simulation([], Catalogue([], ""), 0, parse_profile("instant"), model, schedule)
    journal = Journal(loop)
    server = Server(simulation, schedule, journal, TIMEOUTS_S | short_timeouts)
    url = await server.listen("127.0.0.1", 0)
    journal.start(journal_path)
    yield "127.0.0.1", int(url.rpartition(":")[2].removesuffix("/v1"))
    server.close()
    journal.end()


def journalled(path: Path) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, path.read_text().splitlines()) if line["kind"] == "request"]


def test_half_a_request_is_not_waited_for(tmp_path: Path) -> None:
    async def run() -> bytes:
        async with endpoint(tmp_path / "journal", {Wait.REQUEST: 0.1}) as address:
            reader, writer = await asyncio.open_connection(*address)
            writer.write(request_bytes(HELLO)[:-1])
            answer = await reader.read()
            writer.close()
            return answer

    answer = uvloop.run(run())
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"] == {
        "message": "The request did not arrive in time.",
        "type": "invalid_request_error",
        "param": None,
        "code": "request_timeout",
    }
    [line] = journalled(tmp_path / "journal")
    assert (line["status"], line["error"], line["finish"]) == (408, "request_timeout", "error")


async def keep_writing(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"more nonsense")
        await writer.drain()
        await asyncio.sleep(0.01)


def test_a_refused_client_that_does_not_close_is_cut_off(tmp_path: Path) -> None:
    async def run() -> None:
        async with endpoint(tmp_path / "journal", {Wait.CLOSING: 0.1}) as address:
            reader, writer = await asyncio.open_connection(*address)
            writer.write(b"nonsense\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 400 Bad Request\r\n")
            with pytest.raises(ConnectionError):
                await keep_writing(writer)

    uvloop.run(run())


@pytest.mark.parametrize(
    ("model", "short_timeouts"),
    # The name is in every chunk, so a long one makes for more than the kernel's buffers hold.
    [("m" * 500, {}), ("m", {Wait.READING: 0.1})],
    ids=["more than the bound", "longer than the limit"],
)
def test_a_client_that_does_not_read_is_dropped(
    tmp_path: Path, model: str, short_timeouts: dict[Wait, float]
) -> None:
    async def run() -> None:
        async with endpoint(tmp_path / "journal", short_timeouts, model) as address:
            with socket.socket() as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.connect(address)
                document = {**HELLO, "model": model, "stream": True, "max_tokens": 16_000}
                client.sendall(request_bytes(document))
                client.setblocking(False)
                with select.epoll() as ended:
                    # Told of nothing but the reset that ends its connection.
                    ended.register(client, 0)
                    reset = asyncio.Event()
                    asyncio.get_running_loop().add_reader(ended.fileno(), reset.set)
                    await reset.wait()
                    asyncio.get_running_loop().remove_reader(ended.fileno())

    uvloop.run(run())
    [line] = journalled(tmp_path / "journal")
    assert (line["finish"], line["completion_sha256"]) == ("client_slow", None)
    assert (len(line["late_us"]) < 16_000) is (not short_timeouts)


def test_a_client_that_catches_up_gets_everything(tmp_path: Path) -> None:
    async def run() -> bytes:
        async with endpoint(tmp_path / "journal", {}) as address:
            with socket.socket() as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.setblocking(False)
                loop = asyncio.get_running_loop()
                await loop.sock_connect(client, address)
                document = {**HELLO, "stream": True, "max_tokens": 4_000}
                await loop.sock_sendall(client, request_bytes(document, head=CLOSE))
                await asyncio.sleep(0.1)
                received = []
                while data := await loop.sock_recv(client, 65536):
                    received.append(data)
                return b"".join(received)

    stream = uvloop.run(run())
    assert stream.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    assert stream.count(b'"delta":{"content":') == 4_000
    [line] = journalled(tmp_path / "journal")
    assert (line["finish"], line["completion_tokens"]) == ("length", 4_000)


def test_nothing_is_left_of_two_hundred_vanished_clients(serve: Serve) -> None:
    serving = serve("--limit", "1", "--profile", "instant:itl=1ms")
    files = Path(f"/proc/{serving.process.pid}/fd")
    exchange(serving.address, request_bytes(b"", "GET /health", CLOSE))
    before = len(list(files.iterdir()))
    request = request_bytes({**HELLO, "stream": True, "max_tokens": 16_000})
    for number in range(200):
        client = socket.create_connection(serving.address, timeout=30)
        client.sendall(request)
        assert client.recv(1) == b"H"
        if number % 2:
            # A reset rather than an orderly end.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    while json.loads(exchange(serving.address, request_bytes(b"", "GET /health", CLOSE))[2])["in_flight"]:
        pass
    with socket.create_connection(serving.address, timeout=30) as client:
        # One connection at a time: when this one is answered, those before it are gone.
        client.sendall(request_bytes(b"", "GET /health"))
        client.recv(65536)
        assert len(list(files.iterdir())) <= before + 1
    lines = [line for line in serving.stop() if line["kind"] == "request"]
    assert [line["finish"] for line in lines] == ["client_gone"] * 200
    assert all(len(line["late_us"]) == len(line["due_us"]) < 16_000 for line in lines)


@pytest.mark.parametrize("depth", [100, 900, 990, 1_000])
def test_any_depth_of_nesting_is_answered_and_journalled(serve: Serve, depth: int) -> None:
    serving = serve()
    body = json.dumps(HELLO).replace('"Hello"', f'"Hello", "x": {"[" * depth}{"]" * depth}')
    status, _, _ = exchange(serving.address, request_bytes(body.encode(), head=CLOSE))
    _, line, _ = serving.stop()
    assert line["status"] == status
    assert status in (200, 400)
