"""How a real endpoint is reached and how long it may take: probe and relay honour the same options."""

import json
import select
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from agentdyno.endpoint.upstream import Upstream, without_system_role
from agentdyno.errors import UserError
from command_line import Agentdyno, summary

CODE = "```python\ndef double(x):\n    return 2 * x\n```\n"
SECRET = "swordfish-4711"
json_values = st.recursive(
    st.none() | st.integers() | st.text() | st.just({"messages": [{"role": "user"}]}),
    lambda values: (
        st.lists(values, max_size=3)
        | st.dictionaries(st.sampled_from(["messages", "role", "x"]), values, max_size=3)
    ),
    max_leaves=5,
).map(lambda value: json.dumps(value).encode())


class Model(BaseHTTPRequestHandler):
    """Streams the right module for everything; `asked` are the requests, each with its headers."""

    protocol_version = "HTTP/1.1"
    asked: list[tuple[dict[str, str], dict[str, Any]]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.begin(200, "text/event-stream")
        self.reply()

    def begin(self, status: int, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def reply(self) -> None:
        chunk = {"choices": [{"index": 0, "delta": {"content": CODE}, "finish_reason": "stop"}]}
        self.wfile.write(f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode())

    def log_message(self, *words: object) -> None:
        pass


class Slow(Model):
    """Keeps the connection alive with comments for a while before it says anything."""

    comments = 15

    def reply(self) -> None:
        never = Event()
        for _ in range(self.comments):
            self.wfile.write(b": wait\n\n")
            never.wait(0.1)
        super().reply()


class WithoutSystem(Model):
    """Knows no system role."""

    def reply(self) -> None:
        roles = [message["role"] for message in self.asked[-1][1]["messages"]]
        if "system" in roles:
            self.wfile.write(b'data: {"error": {"message": "System role not supported"}}\n\n')
        else:
            super().reply()


class Proxy(Model):
    """An HTTP proxy, for whole URLs and for tunnels."""

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.asked.append((headers, {"path": self.path}))
        self.rfile.read(int(self.headers["Content-Length"]))
        self.begin(200, "text/event-stream")
        self.reply()

    def do_CONNECT(self) -> None:
        self.asked.append(
            ({name.lower(): value for name, value in self.headers.items()}, {"path": self.path})
        )
        host, port = self.path.split(":")
        with socket.create_connection((host, int(port))) as there:
            self.send_response(200)
            self.end_headers()
            self.wfile.flush()
            ways = {self.connection: there, there: self.connection}
            while True:
                for one in select.select(list(ways), [], [])[0]:
                    data = one.recv(65536)
                    if not data:
                        self.close_connection = True
                        return
                    ways[one].sendall(data)


@contextmanager
def listening(kind: type[Model], tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[Any]]]:
    """A server of this kind: where it listens, and what it was asked."""
    asked: list[Any] = []
    handler = type(kind.__name__, (kind,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def check(agentdyno: Agentdyno) -> Callable[..., tuple[int, str]]:
    """Asks whether the endpoint at a URL is ready: the exit status, and all that was said, in one line."""

    def ask(url: str, *words: object, **more: str) -> tuple[int, str]:
        named = {"LLM_BASE_URL": f"{url}/v1", "LLM_MODEL": "m", **more}
        done = agentdyno("check", "--runtimes", "python", *words, **named)
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    return ask


def test_the_first_data_may_take_longer_than_the_runtimes_would_wait(check: Callable[..., Any]) -> None:
    with listening(Slow) as (url, _):
        status, said = check(url, "--idle-timeout", 1)
        assert status == 1
        assert "sent nothing for 1 s" in said
        assert "raise --idle-timeout" in said
        status, said = check(url, "--total-timeout", 0.5)
        assert status == 1
        assert "is not done after 0.5 s" in said
        assert "raise --total-timeout" in said
        status, _ = check(url, "--idle-timeout", 75)
        assert status == 0


def test_a_connection_that_takes_too_long(check: Callable[..., Any]) -> None:
    with socket.socket() as full, socket.socket() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)  # the kernel drops what comes after the one that nobody accepts
        waiting.connect(full.getsockname())
        status, said = check(f"http://127.0.0.1:{full.getsockname()[1]}", "--connect-timeout", 0.5)
    assert status == 1
    assert "cannot be reached (no connection in time)" in said
    assert "--connect-timeout" in said


def test_a_proxy_is_the_one_that_is_named_and_none_of_the_environment(check: Callable[..., Any]) -> None:
    with listening(Proxy) as (proxy, through), listening(Model) as (url, asked):
        status, _ = check(url, http_proxy=proxy, https_proxy=proxy, all_proxy=proxy)
        assert (status, len(asked), through) == (0, 1, [])
        status, said = check(
            url,
            "--proxy",
            "env:MY_PROXY",
            MY_PROXY=proxy.replace("//", f"//me:{SECRET}@"),
            no_proxy="127.0.0.1",
        )
        ((headers, request),) = through
        assert (status, len(asked)) == (0, 1)
        assert request["path"] == f"{url}/v1/chat/completions"
        assert headers["proxy-authorization"].startswith("Basic ")
        assert SECRET not in said


def test_a_proxy_that_is_down(check: Callable[..., Any]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        proxy = f"http://me:{SECRET}@127.0.0.1:{port}"
        status, said = check("http://127.0.0.1:9", "--proxy", "env:MY_PROXY", MY_PROXY=proxy)
    assert status == 1
    assert "cannot be reached through the proxy (Connection refused): is the proxy running" in said
    assert SECRET not in said


def test_an_authority_that_is_named_is_trusted_also_through_a_proxy(
    check: Callable[..., Any], tmp_path: Path
) -> None:
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    with listening(Model, tls) as (url, asked), listening(Proxy) as (proxy, through):
        status, said = check(url)
        assert status == 1
        assert "its certificate is not trusted" in said
        assert "--ca-bundle" in said
        status, _ = check(url, "--ca-bundle", bundle.name)
        assert (status, len(asked)) == (0, 1)
        status, _ = check(url, "--ca-bundle", bundle, "--proxy", proxy)
        assert (status, len(asked)) == (0, 2)
        assert [request["path"] for _, request in through] == [url.removeprefix("https://")]
    with listening(Model) as (url, _):
        status, said = check(url.replace("http:", "https:"))
        assert status == 1
        assert "WRONG_VERSION_NUMBER" in said.upper().replace(" ", "_")


def test_a_bundle_that_cannot_be_read_is_said_before_the_run(
    check: Callable[..., Any], tmp_path: Path
) -> None:
    status, said = check("https://127.0.0.1:9", "--ca-bundle", tmp_path / "missing")
    assert status == 1
    assert "--ca-bundle" in said
    assert "no certificates can be read (No such file" in said


@pytest.mark.parametrize("kind", ["folder", "text"])
def test_a_bundle_that_holds_no_certificates(tmp_path: Path, kind: str) -> None:
    bundle = tmp_path / kind
    if kind == "folder":
        bundle.mkdir()
    else:
        bundle.write_text("no certificate")
    with pytest.raises(UserError, match=r"^--ca-bundle .*: no certificates can be read .* in PEM form$"):
        _ = Upstream("https://h/v1", ca_bundle=str(bundle)).tls


def test_a_variable_that_is_not_set() -> None:
    with pytest.raises(UserError, match=r"^--header api-key: the environment variable NO_SUCH is not set"):
        _ = Upstream("https://h/v1", headers={"api-key": "env:NO_SUCH"}).headers_to_add
    with pytest.raises(UserError, match=r"^--proxy: the environment variable NO_SUCH is not set"):
        _ = Upstream("https://h/v1", proxy="env:NO_SUCH").proxy_url


@pytest.mark.parametrize(
    ("messages", "folded"),
    [
        ([("system", "S"), ("user", "U"), ("assistant", "A"), ("user", "V")], "U"),
        ([("user", "U"), ("system", "S")], "U"),
        ([("system", "S"), ("assistant", "A")], ""),
    ],
)
def test_without_the_system_role_its_text_comes_before_the_first_user_message(
    messages: list[tuple[str, str]], folded: str
) -> None:
    body = {"model": "m", "messages": [{"role": role, "content": text} for role, text in messages]}
    sent = json.loads(without_system_role(json.dumps(body).encode()))
    others = [(role, text) for role, text in messages if role not in ("system", "user")]
    assert "system" not in {message["role"] for message in sent["messages"]}
    first = next(message for message in sent["messages"] if message["role"] == "user")
    assert first["content"] == "\n\n".join(filter(None, ["S", folded]))
    assert others == [
        (message["role"], message["content"]) for message in sent["messages"] if message["role"] != "user"
    ]


@given(st.binary(max_size=40) | json_values)
def test_what_is_no_request_with_a_system_message_stays_as_it_is(body: bytes) -> None:
    assert without_system_role(body) == body


def test_headers_go_with_every_request_and_secrets_stay_in_the_environment(
    agentdyno: Agentdyno, tasks: Path, tmp_path: Path
) -> None:
    words = (
        "--runtimes", "python", "--tasks", tasks, "--limit", 2, "--agents", 1, "--controls", "none",
        "--verifier", "null", "--idle-timeout", 75, "--header", "X-Team=red, blue",
        "--header", "x-id=env:MY_ID", "--header", "api-key=env:LLM_API_KEY", "--no-system-role",
        "--out", tmp_path / "results",
    )  # fmt: skip
    with listening(WithoutSystem) as (url, asked):
        named = {"LLM_BASE_URL": f"{url}/v1", "LLM_MODEL": "m", "LLM_API_KEY": "sk-1", "MY_ID": SECRET}
        done = agentdyno("run", *words, **named)
        resumed = agentdyno("run", "--resume", tmp_path / "results" / "latest", **named)
    assert resumed.returncode == done.returncode, resumed.stderr
    assert len(asked) == 1 + 2 + 1  # the probe, the run, the probe of --resume
    for headers, body in asked:
        assert [headers[name] for name in ("x-team", "x-id", "api-key")] == ["red, blue", SECRET, "sk-1"]
        (message,) = body["messages"]
        assert message["role"] == "user"
        assert message["content"].startswith("You are an expert Python programmer.")
        assert "\n\nProblem double/" in message["content"]
    document = summary(tmp_path / "results")
    (row,) = document["rows"]
    assert {failure["gate"] for failure in row["failures"]} - {"little foreign load"} == {"enough samples"}
    assert row["metrics"]["first_attempt_pass"]["values"] == [2]
    assert document["experiment"]["timeouts"]["event_idle_s"] == 75
    assert document["experiment"]["connection"] == {
        "headers": {"X-Team": "red, blue", "api-key": "env:LLM_API_KEY", "x-id": "env:MY_ID"},
        "system_role": False,
    }
    (run_file,) = (tmp_path / "results" / "latest").glob("runs/*/run.json")
    assert json.loads(run_file.read_text())["timeouts"]["event_idle_s"] == 75
    for file in (tmp_path / "results").rglob("*"):
        assert not file.is_file() or SECRET not in file.read_text()
    assert SECRET not in done.stdout + done.stderr


def test_a_header_that_the_server_repeats_is_not_shown(check: Callable[..., Any]) -> None:
    class Repeats(Model):
        def do_POST(self) -> None:
            self.begin(401, "text/plain")
            self.wfile.write(f"who is {self.headers['x-id']}?".encode())

    with listening(Repeats) as (url, _):
        status, said = check(url, "--header", "x-id=env:MY_ID", MY_ID=SECRET)
    assert status == 1
    assert "answers 401 (who is …?)" in said
    assert SECRET not in said
