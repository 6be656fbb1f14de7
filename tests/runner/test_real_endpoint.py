"""LLM_BASE_URL: a model server that is not ours, here a small one of the test's own."""

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import trustme

from command_line import Agentdyno, summary

KEY = "sk-very-secret-4711"
CODE = "```python\ndef double(x):\n    return 2 * x\n```\n"


class Model(BaseHTTPRequestHandler):
    """Answers every conversation with the right module, streamed; wants KEY and the model `doubler`."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["Authorization"] != f"Bearer {KEY}":
            self.answer(401, {"error": {"message": f"Incorrect API key: {self.headers['Authorization']}"}})
        elif body["model"] != "doubler":
            self.answer(404, {"error": {"message": f"The model {body['model']} does not exist"}})
        elif not body["stream"]:
            self.answer(200, {"choices": [{"message": {"content": "yes"}, "finish_reason": "length"}]})
        else:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            for delta, reason in (
                ({"role": "assistant", "content": CODE[:9]}, None),
                ({"content": CODE[9:]}, "stop"),
            ):
                chunk = {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
                self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.write(b"data: [DONE]\n\n")
            self.close_connection = True

    def answer(self, status: int, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        pass


@contextmanager
def listening(tls: ssl.SSLContext | None = None) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def base_url() -> Iterator[str]:
    with listening() as url:
        yield url


def test_a_run_against_it_is_measured_like_any_other_and_the_key_stays_out_of_all_files(
    agentdyno: Agentdyno, base_url: str, tasks: Path, tmp_path: Path
) -> None:
    done = agentdyno(
        "run", "--runtimes", "python", "--tasks", tasks, "--limit", 4, "--agents", 4, "--repeats", 1,
        "--out", tmp_path / "results", LLM_BASE_URL=base_url, LLM_MODEL="doubler", LLM_API_KEY=KEY,
    )  # fmt: skip
    document = summary(tmp_path / "results")
    (row,) = document["rows"]
    assert row["profile"] == "real:doubler"
    metrics = {name: metric["median"] for name, metric in row["metrics"].items()}
    assert metrics["pass_rate"] == 1
    assert metrics["first_attempt_pass"] == 4
    assert metrics["model_ms_p50"] > 0
    assert document["experiment"]["endpoint"] == base_url
    for file in (tmp_path / "results").rglob("*"):
        assert not file.is_file() or KEY not in file.read_text()
    assert KEY not in done.stdout + done.stderr


def test_it_may_speak_https(agentdyno: Agentdyno, tasks: Path, tmp_path: Path) -> None:
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    with listening(tls) as base_url:
        done = agentdyno(
            "run", "--runtimes", "python", "--tasks", tasks, "--limit", 4, "--agents", 4, "--repeats", 1,
            "--verifier", "null", "--out", tmp_path / "results",
            LLM_BASE_URL=base_url, LLM_MODEL="doubler", LLM_API_KEY=KEY,
            SSL_CERT_FILE=str(tmp_path / "authority.pem"),
        )  # fmt: skip
    assert done.stderr == ""
    (row,) = summary(tmp_path / "results")["rows"]
    assert row["metrics"]["first_attempt_pass"]["values"] == [4]


def test_a_wrong_key(agentdyno: Agentdyno, base_url: str, tasks: Path) -> None:
    done = agentdyno(
        "run", "--tasks", tasks, LLM_BASE_URL=base_url, LLM_MODEL="doubler", LLM_API_KEY="sk-wrong-one"
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"agentdyno: {base_url} answers 401 (Incorrect API key: Bearer …): "
        "set LLM_API_KEY to a key that it accepts\n"
    )


def test_a_key_that_cannot_be_sent_is_not_shown(agentdyno: Agentdyno, base_url: str, tasks: Path) -> None:
    done = agentdyno(
        "run", "--tasks", tasks, LLM_BASE_URL=base_url, LLM_MODEL="doubler", LLM_API_KEY=f"{KEY}\r"
    )
    assert done.returncode == 2
    assert done.stderr == (
        "agentdyno: LLM_API_KEY holds a character that no HTTP header can carry, such as a line end: "
        "set it without\n"
    )


def test_a_server_that_does_not_speak_http(agentdyno: Agentdyno, tasks: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        base_url = f"http://127.0.0.1:{server.getsockname()[1]}/v1"

        def babble() -> None:
            connection = server.accept()[0]
            connection.recv(65536)
            connection.sendall(b"220 mail.example ESMTP\r\n")
            connection.close()

        thread = Thread(target=babble)
        thread.start()
        done = agentdyno("run", "--tasks", tasks, LLM_BASE_URL=base_url, LLM_MODEL="doubler")
        thread.join()
    assert done.returncode == 1
    assert done.stderr.startswith(f"agentdyno: {base_url} does not answer as HTTP wants (Bad status line:")
    assert "220 mail.example ESMTP" in done.stderr
    assert done.stderr.endswith(": is the server running, and is LLM_BASE_URL right?\n")
    assert done.stderr.count("\n") == 1


def test_a_model_that_is_not_there(agentdyno: Agentdyno, base_url: str, tasks: Path) -> None:
    done = agentdyno("run", "--tasks", tasks, LLM_BASE_URL=base_url, LLM_MODEL="tripler", LLM_API_KEY=KEY)
    assert done.returncode == 1
    assert done.stderr == (
        f"agentdyno: {base_url} answers 404 (The model tripler does not exist): it has no model `tripler`, "
        f"or LLM_BASE_URL lacks its /v1; see what {base_url}/models lists and set LLM_MODEL\n"
    )


def test_a_server_that_is_down(agentdyno: Agentdyno, tasks: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        base_url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        done = agentdyno("run", "--tasks", tasks, LLM_BASE_URL=base_url, LLM_MODEL="doubler")
    assert done.returncode == 1
    assert done.stderr == (
        f"agentdyno: {base_url} cannot be reached (Connection refused): "
        "is the server running, and is LLM_BASE_URL right?\n"
    )


def test_check_tells_the_same(agentdyno: Agentdyno, base_url: str) -> None:
    good = agentdyno("check", LLM_BASE_URL=base_url, LLM_MODEL="doubler", LLM_API_KEY=KEY)
    said = " ".join(good.stdout.split())
    assert f"{base_url} answers for model doubler: server " in said
    assert "s to the first token; no usage is reported" in said
    assert good.returncode == 0
    bad = agentdyno("check", LLM_BASE_URL=base_url, LLM_MODEL="doubler")
    assert "set LLM_API_KEY to a key that it accepts" in " ".join(bad.stdout.split())
    assert bad.returncode == 1
    assert bad.stderr == "not ready: see the lines marked MISSING\n"


SECRET = 'sk-with "quotes" and  spaces'


def finished(delta: dict[str, str], reason: str = "stop") -> bytes:
    chunk = {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
    return f"data: {json.dumps(chunk)}\n\n".encode()


@contextmanager
def saying(status: int, body: bytes, **headers: str) -> Iterator[tuple[str, list[str | None]]]:
    """A server that answers everything like this, and the keys that it was sent."""
    keys: list[str | None] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            keys.append(self.headers["Authorization"])
            self.send_response(status)
            for name, value in {"Content-Type": "text/event-stream", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1", keys
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "kind", "facts"),
    [
        (
            200,
            b'{"error": {"message": "busy"}}',
            "application/json",
            ("application/json", "(busy)", "stream"),
        ),
        (200, b"<html>hello</html>", "text/html", ("text/html", "<html>hello</html>", "--request")),
        (200, b"data: {\n\n", "text/event-stream", ("no completion (malformed)", "log")),
        (200, b"data: [DONE]\n\n", "text/event-stream", ("no completion (truncated)", "log")),
        (200, b'data: {"error": {"message": "full"}}\n\n', "text/event-stream", ("no completion (", "full")),
        (
            400,
            b'{"error": {"message": "context too small"}}',
            "text/plain",
            ("context too small", "--request"),
        ),
        (500, b"", "text/plain", ("answers 500 (no message)", "log")),
    ],
)
def test_what_would_fail_every_task_is_said_before(
    agentdyno: Agentdyno, status: int, body: bytes, kind: str, facts: tuple[str, ...]
) -> None:
    with saying(status, body, **{"Content-Type": kind}) as (base_url, _):
        done = agentdyno("check", LLM_BASE_URL=base_url, LLM_MODEL="m", LLM_API_KEY=KEY)
    said = " ".join(done.stdout.split())
    assert done.returncode == 1
    assert [fact for fact in facts if fact not in said] == []


@pytest.mark.parametrize(
    ("body", "odd"),
    [
        (finished({"reasoning_content": "hm"}), "the reply is empty, all of it is reasoning"),
        (finished({"content": "x"}, "length"), "the reply was cut: raise max_tokens"),
        (b": wait\n\n" * 100 + finished({"content": "x"}, "error"), "to the first token; no usage"),
    ],
)
def test_what_is_odd_is_said(agentdyno: Agentdyno, body: bytes, odd: str) -> None:
    with saying(200, body) as (base_url, _):
        done = agentdyno("check", LLM_BASE_URL=base_url, LLM_MODEL="m")
    assert odd in " ".join(done.stdout.split())
    assert done.returncode == 0


def test_no_redirect_is_followed_and_the_key_stays(agentdyno: Agentdyno) -> None:
    with (
        saying(200, finished({"content": "x"})) as (elsewhere, keys),
        saying(307, b"", Location=f"{elsewhere}/chat/completions") as (base_url, _),
    ):
        done = agentdyno("check", LLM_BASE_URL=base_url, LLM_MODEL="m", LLM_API_KEY=KEY)
    said = " ".join(done.stdout.split())
    assert done.returncode == 1
    assert "answers 307 and leads to" in said
    assert keys == []


@pytest.mark.parametrize(
    "repeated",
    [
        SECRET,
        json.dumps({"error": {"message": f"bad key {SECRET}"}}),
        json.dumps({"detail": f"bad key {SECRET}"}),
        "bad key " + " ".join(SECRET.split()),
        "x" * 190 + SECRET,
    ],
)
def test_a_key_that_the_server_repeats_is_not_shown(agentdyno: Agentdyno, repeated: str) -> None:
    with saying(401, repeated.encode(), **{"Content-Type": "text/plain"}) as (base_url, _):
        done = agentdyno("run", LLM_BASE_URL=base_url, LLM_MODEL="m", LLM_API_KEY=SECRET)
    assert done.returncode == 1
    assert "…" in done.stderr
    assert not any(part in done.stderr for part in ("sk-with", "quotes", "spaces"))


def test_a_runtime_that_waits_as_it_was_asked_to_does_not_hang(
    agentdyno: Agentdyno, tasks: Path, tmp_path: Path
) -> None:
    asked: list[str] = []

    class Busy(Model):
        """Too busy for every second request, the probe's not counted."""

        def do_POST(self) -> None:
            asked.append(self.path)
            if len(asked) % 2:
                super().do_POST()
                return
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(429)
            self.send_header("Retry-After", "3")
            self.send_header("Content-Length", "0")
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Busy) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        agentdyno(
            "run", "--runtimes", "python", "--tasks", tasks, "--limit", 1, "--agents", 1, "--repeats", 1,
            "--controls", "none", "--verifier", "null", "--stall", 1, "--out", tmp_path / "results",
            LLM_BASE_URL=f"http://127.0.0.1:{server.server_port}/v1", LLM_MODEL="doubler", LLM_API_KEY=KEY,
        )  # fmt: skip
        server.shutdown()
        thread.join()
    (row,) = summary(tmp_path / "results")["rows"]
    assert row["metrics"]["first_attempt_pass"]["values"] == [1]
    assert {failure["gate"] for failure in row["failures"]} - {"little foreign load"} == {"enough samples"}


def test_a_url_with_a_password_is_refused_without_showing_it(agentdyno: Agentdyno) -> None:
    done = agentdyno("run", LLM_BASE_URL="http://me:swordfish@127.0.0.1:9/v1", LLM_MODEL="m")
    assert done.returncode == 2
    assert "LLM_BASE_URL holds a user name or a password; set LLM_API_KEY" in done.stderr
    assert "swordfish" not in done.stdout + done.stderr


def test_what_explains_outcomes_stands_below_the_table(
    agentdyno: Agentdyno, tasks: Path, tmp_path: Path
) -> None:
    class Small(Model):
        """Cuts its first replies, the probe's among them; then the conversations do not fit any more."""

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if len(body["messages"]) > 2:
                self.answer(400, {"error": {"message": f"maximum context length is 64 tokens, {KEY}\x1b[2J"}})
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(finished({"content": "First, let me think"}, "length") + b"data: [DONE]\n\n")
            self.close_connection = True

    with ThreadingHTTPServer(("127.0.0.1", 0), Small) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        done = agentdyno(
            "run", "--runtimes", "python", "--tasks", tasks, "--limit", 4, "--agents", 2, "--repeats", 1,
            "--controls", "none", "--out", tmp_path / "results",
            LLM_BASE_URL=f"http://127.0.0.1:{server.server_port}/v1", LLM_MODEL="doubler", LLM_API_KEY=KEY,
        )  # fmt: skip
        server.shutdown()
        thread.join()
    (row,) = summary(tmp_path / "results")["rows"]
    assert [(note["kind"], note["count"], note["of"], note["status"]) for note in row["notes"]] == [
        ("cut", 4, 4, None),
        ("refused", 4, 8, 400),
    ]
    said = " ".join(done.stdout.split())
    assert "python, 2 agents, verifier cold: 4 of 4 replies were cut" in said
    assert "maximum context length is 64 tokens, …" in said
    assert "max_tokens do not fit into the model's context" in said
    assert (tmp_path / "results" / "latest" / "table.md").read_text().count("- python, 2 agents") == 2
    assert agentdyno("verify", tmp_path / "results" / "latest").returncode == 0
    for file in (tmp_path / "results").rglob("*"):
        assert not file.is_file() or KEY not in file.read_text()
