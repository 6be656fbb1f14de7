"""A real endpoint behind the journal; a second `serve`, or a few lines of server, plays the real one."""

import contextlib
import http.client
import http.server
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

MODEL = "agentdyno-sim"
HELLO = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]}
Serve = Callable[..., Any]


def post(address: tuple[str, int], document: Any, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(*address, timeout=30)
    connection.request("POST", "/v1/chat/completions", json.dumps(document).encode(), headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, dict(response.getheaders()), body


@contextlib.contextmanager
def upstream(respond: Callable[[http.server.BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """A server that answers every request with `respond`; gives its base URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.content = self.rfile.read(int(self.headers["Content-Length"]))
            respond(self)

        def log_message(self, *arguments: object) -> None:
            """Quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


def test_the_bytes_of_a_simulation_pass_unchanged(serve: Serve) -> None:
    simulated = serve("--limit", "5", "--profile", "instant:itl=1ms")
    relaying = serve("--limit", "5", "--upstream", simulated.url)
    streamed = {**HELLO, "stream": True, "stream_options": {"include_usage": True}}
    for document in (HELLO, streamed):
        direct = post(simulated.address, document)
        relayed = post(relaying.address, document, Authorization="Bearer secret-key")
        assert relayed == direct
    with openai.OpenAI(base_url=relaying.url, api_key="secret-key", max_retries=0) as client:
        assert [model.id for model in client.models.list()] == [MODEL]
        with pytest.raises(openai.NotFoundError) as error:
            client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hello"}])
        assert error.value.code == "model_not_found"

    upstream_lines = simulated.stop()
    start, whole, stream, refused, end = relaying.stop()
    assert (start["profile"], start["upstream"]) == (None, simulated.url)
    for line, theirs in ((whole, upstream_lines[2]), (stream, upstream_lines[4])):
        for field in (
            "task",
            "attempt",
            "stream",
            "status",
            "finish",
            "error",
            "request_sha256",
            "completion_sha256",
            "prompt_tokens",
        ):
            assert line[field] == theirs[field]
        assert line["finish"] == "stop"
        assert line["t_arrive"] < theirs["t_arrive"] < line["t_first"]
        assert len(line["late_us"]) == len(line["due_us"]) >= 1
        assert min(line["late_us"]) >= 0
    assert stream["completion_tokens"] == 64
    assert (refused["status"], refused["error"], refused["finish"]) == (404, "model_not_found", "error")
    assert (end["requests"], end["max_in_flight"]) == (3, 1)
    assert "secret-key" not in json.dumps([start, whole, stream, refused, end])


@pytest.mark.parametrize(
    ("status", "header", "code", "waits"),
    [
        (401, ("WWW-Authenticate", "Bearer"), "invalid_api_key", False),
        (429, ("Retry-After", "700"), "rate_limit_exceeded", True),
        (503, ("Retry-After", "Fri, 31 Dec 2999 23:59:59 GMT"), "overloaded", True),
        (503, ("Retry-After", "Fri, 31 Dec 1999 23:59:59 GMT"), "overloaded", False),
        (503, ("Retry-After", "soon"), "overloaded", False),
    ],
)
def test_refusals_pass_unchanged(
    serve: Serve, status: int, header: tuple[str, str], code: str, waits: bool
) -> None:
    error = json.dumps({"error": {"message": "no", "type": "t", "param": None, "code": code}}).encode()
    seen = []

    def refuse(request: Any) -> None:
        seen.append((request.path, request.headers["Authorization"], json.loads(request.content)))
        request.send_response(status)
        request.send_header(*header)
        request.send_header("Content-Length", str(len(error)))
        request.end_headers()
        request.wfile.write(error)

    with upstream(refuse) as url:
        relaying = serve("--limit", "1", "--upstream", url)
        got, headers, body = post(relaying.address, HELLO, Authorization="Bearer secret-key")
    assert (got, headers[header[0]], body) == (status, header[1], error)
    assert seen == [("/v1/chat/completions", "Bearer secret-key", HELLO)]
    assert (gauge(relaying.address)["asked_to_wait_s"] > 0) is waits
    _, line, _ = relaying.stop()
    assert (line["status"], line["error"], line["finish"]) == (status, code, "error")


def test_an_unreachable_upstream(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    relaying = serve("--limit", "1", "--upstream", f"http://127.0.0.1:{port}/v1")
    status, _, body = post(relaying.address, HELLO)
    error = json.loads(body)["error"]
    assert (status, error["type"], error["code"]) == (502, "upstream_error", "upstream_unreachable")
    assert error["message"] == "The upstream endpoint cannot be reached: Connection refused."
    _, line, _ = relaying.stop(said=f"request 1: {error['message']}\n")
    assert (line["status"], line["error"], line["finish"]) == (502, "upstream_unreachable", "error")


CHUNK = b'data: {"choices":[{"delta":{"content":"half"}}]}\n\n'


def test_a_chunk_passes_before_upstream_sends_the_next(serve: Serve) -> None:
    chunks = 20
    read = threading.Semaphore(0)

    def answer(request: Any) -> None:
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        for _ in range(chunks):
            request.wfile.write(b"%x\r\n%b\r\n" % (len(CHUNK), CHUNK))
            assert read.acquire(timeout=30)
        request.wfile.write(b"0\r\n\r\n")

    with upstream(answer) as url:
        relaying = serve("--limit", "1", "--upstream", url)
        connection = http.client.HTTPConnection(*relaying.address, timeout=30)
        connection.request("POST", "/v1/chat/completions", json.dumps({**HELLO, "stream": True}))
        response = connection.getresponse()
        for _ in range(chunks):
            assert response.read(len(CHUNK)) == CHUNK
            read.release()
        assert response.read() == b""
        connection.close()
    _, line, _ = relaying.stop()
    assert len(line["late_us"]) == chunks


@pytest.mark.parametrize(("complete", "error"), [(False, "upstream_broke_off"), (True, "no_finish_reason")])
def test_a_stream_that_stops_half_way(serve: Serve, complete: bool, error: str) -> None:
    def answer(request: Any) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "text/event-stream")
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        request.wfile.write(b"%x\r\n%b\r\n" % (len(CHUNK), CHUNK))
        if complete:
            request.wfile.write(b"0\r\n\r\n")
        request.close_connection = True

    with upstream(answer) as url:
        relaying = serve("--limit", "1", "--upstream", url)
        connection = http.client.HTTPConnection(*relaying.address, timeout=30)
        connection.request("POST", "/v1/chat/completions", json.dumps({**HELLO, "stream": True}))
        response = connection.getresponse()
        if complete:
            assert response.read() == CHUNK
        else:
            with pytest.raises(http.client.IncompleteRead):
                response.read()
        connection.close()
    _, line, _ = relaying.stop(said="" if complete else "request 1: The upstream endpoint broke off: ")
    assert (line["status"], line["finish"], line["error"]) == (200, "error", error)
    assert (line["served"], line["t_finish"]) == (False, None)
    assert line["completion_sha256"] is None


@pytest.mark.parametrize(
    ("body", "finish", "error"),
    [
        (b"[]", "error", "no_finish_reason"),
        (b"[" * 100_000, "error", "no_finish_reason"),
        (b'{"error": "busy", "usage": [], "choices": [1]}', "error", "no_finish_reason"),
        (b'{"error": {"type": "overloaded"}, "choices": {}}', "error", "overloaded"),
        (b'{"choices": [{"message": {"content": [1]}, "finish_reason": "tool_calls"}]}', "tool_calls", None),
    ],
)
def test_an_upstream_may_answer_anything(serve: Serve, body: bytes, finish: str, error: str | None) -> None:
    def answer(request: Any) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    with upstream(answer) as url:
        relaying = serve("--limit", "1", "--upstream", url)
        assert post(relaying.address, HELLO)[2] == body
    _, line, _ = relaying.stop()
    assert (line["status"], line["finish"], line["error"]) == (200, finish, error)


def test_a_client_that_vanishes_frees_the_upstream(serve: Serve) -> None:
    simulated = serve("--limit", "1", "--profile", "instant:itl=3600s")
    relaying = serve("--limit", "1", "--upstream", simulated.url)
    body = json.dumps({**HELLO, "stream": True}).encode()
    with socket.create_connection(relaying.address, timeout=30) as client:
        client.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        assert client.recv(1) == b"H"
    connection = http.client.HTTPConnection(*simulated.address, timeout=30)
    in_flight = 1
    while in_flight:
        connection.request("GET", "/health")
        in_flight = json.loads(connection.getresponse().read())["in_flight"]
    connection.close()
    for serving in (simulated, relaying):
        _, line, _ = serving.stop()
        assert line["finish"] == "client_gone"


@contextlib.contextmanager
def answering(*pieces: bytes, then: threading.Event | None = None) -> Iterator[str]:
    """A server that answers one request with these bytes, each in a write of its own, and then waits."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve_one() -> None:
            connection, _ = server.accept()
            with connection:
                request = b""
                while not request.endswith(b"}"):
                    request += connection.recv(65536)
                for piece in pieces:
                    connection.sendall(piece)
                if then is not None:
                    then.wait(30)

        thread = threading.Thread(target=serve_one)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        thread.join()


def exchanged(address: tuple[str, int], document: Any, headers: bytes = b"") -> bytes:
    """Everything that comes back on a connection that closes after one request."""
    body = json.dumps(document).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nConnection: close\r\nContent-Length: %d\r\n" % len(body)
    with socket.create_connection(address, timeout=30) as client:
        client.sendall(head + headers + b"\r\n" + body)
        received = b""
        while piece := client.recv(65536):
            received += piece
    return received


FINISHED = b'data: {"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
STREAMED = {**HELLO, "stream": True}


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@pytest.mark.parametrize(
    "header",
    [
        "X-Note: 模型".encode(),
        "X-Note: café".encode("latin-1"),
        b"X-Long: " + b"y" * 9_000,
        b"x-LOWER-and-Upper:  v",
        b"X-Twice: 1\r\nX-Twice: 2",
    ],
    ids=lambda header: header[:20].decode(errors="replace"),
)
def test_header_bytes_of_a_response_pass_as_they_came(serve: Serve, header: bytes) -> None:
    with answering(HEAD + header + b"\r\n\r\n", chunk(FINISHED) + b"0\r\n\r\n") as url:
        relaying = serve("--limit", "1", "--upstream", url)
        received = exchanged(relaying.address, STREAMED)
    head, _, body = received.partition(b"\r\n\r\n")
    assert header.replace(b":  ", b": ") in head
    assert chunk(FINISHED) in body
    _, line, _ = relaying.stop()
    assert (line["served"], line["finish"]) == (True, "stop")


def test_headers_of_the_connection_stay_behind(serve: Serve) -> None:
    seen: list[Any] = []

    def answer(request: Any) -> None:
        seen.append(request.headers)
        request.send_response(200)
        for name, value in (
            ("Connection", "X-Hop"),
            ("X-Hop", "1"),
            ("Keep-Alive", "timeout=5"),
            ("X-End", "2"),
        ):
            request.send_header(name, value)
        request.send_header("Content-Length", "2")
        request.end_headers()
        request.wfile.write(b"{}")

    with upstream(answer) as url:
        relaying = serve("--limit", "1", "--upstream", url)
        headers = b"X-Private: 1\r\nConnection: X-Private\r\nX-Note: \xe6\xa8\xa1\r\n"
        received = exchanged(relaying.address, HELLO, headers)
    assert b"X-End: 2" in received
    assert b"X-Hop" not in received
    assert b"Keep-Alive" not in received
    assert "X-Private" not in seen[0]
    assert seen[0]["X-Note"].encode("latin-1") == b"\xe6\xa8\xa1"
    relaying.stop()


@pytest.mark.parametrize(
    "answer",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Far-Too-Long: " + b"y" * 300_000 + b"\r\n\r\n",
        b"",
    ],
    ids=lambda answer: answer[:24].decode(),
)
def test_whatever_goes_wrong_is_answered(serve: Serve, answer: bytes) -> None:
    with answering(answer) as url:
        relaying = serve("--limit", "1", "--upstream", url)
        status, _, body = post(relaying.address, HELLO)
    error = json.loads(body)["error"]
    assert (status, error["type"], error["code"]) == (502, "upstream_error", "upstream_error")
    _, line, _ = relaying.stop(said=error["message"])
    assert (line["status"], line["error"]) == (502, "upstream_error")


def test_a_header_that_cannot_be_passed_on_is_refused(serve: Serve) -> None:
    relaying = serve("--limit", "1", "--upstream", "http://127.0.0.1:9/v1")
    assert b" 400 " in exchanged(relaying.address, HELLO, b"X-Note: caf\xe9\r\n").splitlines()[0]
    relaying.stop()


def test_who_leaves_after_the_finish_reason_was_served(serve: Serve) -> None:
    over = threading.Event()
    with answering(HEAD + b"\r\n", chunk(CHUNK), chunk(FINISHED), then=over) as url:
        relaying = serve("--limit", "1", "--upstream", url)
        connection = http.client.HTTPConnection(*relaying.address, timeout=30)
        connection.request("POST", "/v1/chat/completions", json.dumps(STREAMED))
        response = connection.getresponse()
        assert response.read(len(CHUNK + FINISHED)) == CHUNK + FINISHED
        response.close()
        connection.close()
        while gauge(relaying.address)["in_flight"]:
            pass
        over.set()
    _, line, _ = relaying.stop()
    assert (line["finish"], line["served"], line["error"]) == ("stop", True, None)
    assert line["t_first"] <= line["t_finish"] <= line["t_gone"]
    assert line["completion_sha256"] is not None


def test_the_finish_reason_may_come_with_the_first_bytes(serve: Serve) -> None:
    read = threading.Event()

    def answer(request: Any) -> None:
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        request.wfile.write(chunk(FINISHED))
        assert read.wait(30)
        request.wfile.write(chunk(b'data: {"choices":[],"usage":{"prompt_tokens":1}}\n\n') + b"0\r\n\r\n")

    with upstream(answer) as url:
        relaying = serve("--limit", "1", "--upstream", url)
        connection = http.client.HTTPConnection(*relaying.address, timeout=30)
        connection.request("POST", "/v1/chat/completions", json.dumps(STREAMED))
        response = connection.getresponse()
        assert response.read(len(FINISHED)) == FINISHED
        t_read = time.monotonic_ns()
        read.set()
        response.read()
        connection.close()
    _, line, _ = relaying.stop()
    assert (line["finish"], line["served"], line["prompt_tokens"]) == ("stop", True, 1)
    assert line["t_finish"] <= t_read <= line["t_last"]


def gauge(address: tuple[str, int]) -> Any:
    connection = http.client.HTTPConnection(*address, timeout=30)
    connection.request("GET", "/health")
    document = json.loads(connection.getresponse().read())
    connection.close()
    return document


def test_a_finish_reason_may_be_called_error(serve: Serve) -> None:
    stream = b'data: {"choices":[{"delta":{"content":"x"},"finish_reason":"error"}]}\n\n'
    with answering(HEAD + b"\r\n", chunk(stream) + b"0\r\n\r\n") as url:
        relaying = serve("--limit", "1", "--upstream", url)
        exchanged(relaying.address, STREAMED)
    _, line, _ = relaying.stop()
    assert (line["finish"], line["served"], line["error"]) == ("error", True, None)


def test_the_query_of_a_base_url_stays_behind_the_path(serve: Serve) -> None:
    seen = []

    def answer(request: Any) -> None:
        seen.append(request.path)
        request.send_response(200)
        request.send_header("Content-Length", "2")
        request.end_headers()
        request.wfile.write(b"{}")

    with upstream(answer) as url:
        base = url.removesuffix("/v1") + "/openai/deployments/d?api-version=2024-10-21"
        relaying = serve("--limit", "1", "--upstream", base)
        post(relaying.address, HELLO)
    assert seen == ["/openai/deployments/d/chat/completions?api-version=2024-10-21"]
    relaying.stop()
