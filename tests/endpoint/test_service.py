"""The endpoint as its clients see it, and what its journal says afterwards."""

import asyncio
import hashlib
import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import openai
import pytest

from agentdyno.endpoint.profile import PROFILES
from agentdyno.endpoint.script import Script
from agentdyno.project import PROMPTS
from agentdyno.tasks.first_request import read_prompts, render
from agentdyno.tasks.load import load
from agentdyno.tasks.plan import keyed, plan
from agentdyno.tasks.task import Task

MODEL = "agentdyno-sim"
Serve = Callable[..., Any]


def opening(task: Task) -> list[dict[str, str]]:
    return [
        {"role": "system", "content": "s"},
        {"role": "user", "content": render(read_prompts(PROMPTS).user, task)},
    ]


def conversation(task: Task, attempt: int) -> list[dict[str, str]]:
    turns = [{"role": "assistant", "content": "no"}, {"role": "user", "content": "again"}]
    return opening(task) + turns * (attempt - 1)


def canonical(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def post(connection: http.client.HTTPConnection, document: dict[str, Any]) -> bytes:
    connection.request(
        "POST", "/v1/chat/completions", canonical(document), {"Authorization": "Bearer secret-key"}
    )
    return connection.getresponse().read()


def contents(stream: bytes) -> list[str]:
    """The tokens in a streamed response."""
    documents = [
        json.loads(event[6:]) for event in stream.decode().split("\n\n") if event.startswith("data: {")
    ]
    return [
        choice["delta"]["content"]
        for document in documents
        for choice in document["choices"]
        if "content" in choice["delta"]
    ]


def until(holds: Callable[[], bool]) -> None:
    """Wait for what is bound to come about."""
    give_up = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < give_up


def test_the_official_client(serve: Serve) -> None:
    task = load("builtin", 1)[0]
    serving = serve()
    reply = Script([task], 0).reply(task, 1)
    with openai.OpenAI(base_url=serving.url, api_key="secret-key", max_retries=0) as client:
        assert [model.id for model in client.models.list()] == [MODEL]
        whole = client.chat.completions.create(model=MODEL, messages=opening(task))
        assert whole.choices[0].message.content == reply
        assert whole.choices[0].finish_reason == "stop"
        chunks = list(
            client.chat.completions.create(
                model=MODEL, messages=opening(task), stream=True, stream_options={"include_usage": True}
            )
        )
        assert chunks[0].choices[0].delta.role == "assistant"
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == reply
        assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]] == [None] * (len(chunks) - 2) + [
            "stop"
        ]
        assert chunks[-1].usage == whole.usage
        assert chunks[-1].usage is not None
        assert chunks[-1].usage.completion_tokens == len(chunks) - 3
        with pytest.raises(openai.NotFoundError) as error:
            client.chat.completions.create(model="gpt-4o", messages=opening(task))
        assert error.value.code == "model_not_found"


def test_the_official_asynchronous_client(serve: Serve) -> None:
    tasks = load("builtin", 20)
    script = Script(tasks, 0)
    serving = serve("--limit", "20", "--profile", "instant")

    async def reply_to(client: openai.AsyncOpenAI, task: Task) -> str:
        stream = await client.chat.completions.create(model=MODEL, messages=opening(task), stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    async def all_replies() -> list[str]:
        async with openai.AsyncOpenAI(base_url=serving.url, api_key="secret-key", max_retries=0) as client:
            return list(await asyncio.gather(*(reply_to(client, task) for task in tasks)))

    assert asyncio.run(all_replies()) == [script.reply(task, 1) for task in tasks]


def test_two_processes_give_the_same_service(serve: Serve) -> None:
    tasks = load("builtin", 60)
    asked = [(task, attempt) for task in tasks for attempt in (1, 2)]
    services = []
    for order in (asked, asked[::-1]):
        serving = serve("--limit", "60", "--profile", "instant:itl=1us~0.5", "--seed", "7")
        connection = http.client.HTTPConnection(*serving.address)
        bodies = {
            (task.task_id, attempt): post(
                connection, {"model": MODEL, "messages": conversation(task, attempt), "stream": True}
            )
            for task, attempt in order
        }
        connection.close()
        lines = [line for line in serving.stop() if line["kind"] == "request"]
        services.append((bodies, {(line["task"], line["attempt"]): line["due_us"] for line in lines}))
    assert services[0] == services[1]
    assert set(services[0][1]) == {(task.task_id, attempt) for task, attempt in asked}


def test_the_journal_of_a_streamed_completion(serve: Serve) -> None:
    task = load("builtin", 1)[0]
    serving = serve("--limit", "1", "--profile", "instant:ttft=20ms,itl=1ms")
    connection = http.client.HTTPConnection(*serving.address)
    document = {"model": MODEL, "messages": opening(task), "stream": True, "temperature": 0.5, "é": "ü\u0001"}
    stream = post(connection, document)
    whole = post(connection, {"model": MODEL, "messages": conversation(task, 2)})
    connection.close()
    start, streamed, unstreamed, end = serving.stop()

    assert start["kind"] == "start"
    assert (start["seed"], start["tasks"], start["model"]) == (0, 1, MODEL)
    assert (start["profile"], start["ttft"], start["itl"]) == ("instant:ttft=20ms,itl=1ms", "20ms", "1ms")
    tokens = contents(stream)[1:]
    assert streamed["kind"] == "request"
    assert (streamed["task"], streamed["attempt"], streamed["stream"]) == (task.task_id, 1, True)
    assert (streamed["status"], streamed["finish"], streamed["error"]) == (200, "stop", None)
    assert streamed["request_sha256"] == sha256(canonical(document))
    assert streamed["completion_sha256"] == sha256("".join(tokens).encode())
    assert streamed["completion_tokens"] == len(tokens)
    assert streamed["due_us"] == [20_000 + 1_000 * number for number in range(len(tokens))]
    assert len(streamed["late_us"]) == len(tokens)
    assert min(streamed["late_us"]) >= 0
    for name, chunk in (("t_first", 0), ("t_last", -1)):
        due = streamed["t_arrive"] + 1_000 * streamed["due_us"][chunk]
        assert due <= streamed[name] < due + 1_000 * (streamed["late_us"][chunk] + 2)

    content = json.loads(whole)["choices"][0]["message"]["content"]
    assert (unstreamed["attempt"], unstreamed["stream"], unstreamed["finish"]) == (2, False, "stop")
    assert unstreamed["completion_sha256"] == sha256(content.encode())
    assert unstreamed["due_us"] == [20_000 + 1_000 * (unstreamed["completion_tokens"] - 1)]

    late = sorted(streamed["late_us"] + unstreamed["late_us"])
    assert end["kind"] == "end"
    assert (end["requests"], end["max_in_flight"]) == (2, 1)
    assert end["lateness_us_max"] == late[-1]
    assert end["lateness_us_p50"] == late[(len(late) + 1) // 2 - 1]
    assert end["cpu_s"] > 0
    times = [start["t"], streamed["t_arrive"], streamed["t_last"], unstreamed["t_arrive"], end["t"]]
    assert all(earlier < later for earlier, later in pairwise(times))
    assert "secret-key" not in json.dumps([start, streamed, unstreamed, end])


def test_every_planned_failure_and_recovery_is_served(serve: Serve) -> None:
    tasks = load("builtin", 100)
    script = Script(tasks, 0)
    plans = plan([task.task_id for task in tasks], 0)
    serving = serve("--limit", "100", "--profile", "instant")
    connection = http.client.HTTPConnection(*serving.address)
    for task in tasks:
        for attempt in range(1, len(plans[task.task_id].failures) + 2):
            answer = post(connection, {"model": MODEL, "messages": conversation(task, attempt)})
            assert json.loads(answer)["choices"][0]["message"]["content"] == script.reply(task, attempt)
    connection.close()


def test_unknown_conversations_are_as_long_as_asked(serve: Serve) -> None:
    serving = serve()
    connection = http.client.HTTPConnection(*serving.address)
    document = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]}
    plain = json.loads(post(connection, document))
    longer = json.loads(post(connection, {**document, "max_tokens": 100}))
    connection.close()
    assert (plain["usage"]["completion_tokens"], plain["choices"][0]["finish_reason"]) == (64, "stop")
    assert (longer["usage"]["completion_tokens"], longer["choices"][0]["finish_reason"]) == (100, "length")
    _, first, second, _ = serving.stop()
    assert first["task"] == second["task"] == f"unknown/{sha256(b'Hello')[:16]}"


def test_max_tokens_cuts_a_scripted_reply(serve: Serve) -> None:
    task = load("builtin", 1)[0]
    serving = serve()
    connection = http.client.HTTPConnection(*serving.address)
    stream = post(connection, {"model": MODEL, "messages": opening(task), "stream": True, "max_tokens": 3})
    connection.close()
    tokens = contents(stream)[1:]
    assert len(tokens) == 3
    assert Script([task], 0).reply(task, 1).startswith("".join(tokens))
    _, line, _ = serving.stop()
    assert (line["finish"], line["completion_tokens"], len(line["due_us"])) == ("length", 3, 3)
    assert line["completion_sha256"] == sha256("".join(tokens).encode())


def test_the_gauge_counts_what_is_in_flight(serve: Serve) -> None:
    serving = serve("--limit", "1", "--profile", "instant:ttft=3600s")
    document = canonical({"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]})
    request = b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (
        len(document),
        document,
    )
    clients = [socket.create_connection(serving.address) for _ in range(5)]
    for client in clients:
        client.sendall(request)
    connection = http.client.HTTPConnection(*serving.address)

    def health() -> dict[str, Any]:
        connection.request("GET", "/health")
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
        assert answer.pop("asked_to_wait_s") == 0
        return answer

    until(lambda: health()["in_flight"] == 5)
    assert health() == {"status": "ok", "in_flight": 5, "max_in_flight": 5, "requests": 5, "completed": 0}
    for client in clients[:3]:
        client.close()
    until(lambda: health()["in_flight"] == 2)
    assert health() == {"status": "ok", "in_flight": 2, "max_in_flight": 5, "requests": 5, "completed": 0}
    connection.close()
    _, *lines, end = serving.stop()
    for client in clients[3:]:
        assert client.recv(1) == b""
        client.close()
    assert sorted(line["in_flight"] for line in lines) == [1, 2, 3, 4, 5]
    assert [(line["finish"], line["error"]) for line in lines] == [
        *[("client_gone", None)] * 3,
        *[("error", "endpoint_stopped")] * 2,
    ]
    assert end["max_in_flight"] == 5


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_journal_is_whole_after_a_signal_amid_streams(serve: Serve, number: int) -> None:
    tasks = load("builtin", 30)
    serving = serve("--limit", "30", "--profile", "instant:itl=1ms")
    clients = [http.client.HTTPConnection(*serving.address) for _ in tasks]
    for client, task in zip(clients, tasks, strict=True):
        client.request(
            "POST",
            "/v1/chat/completions",
            canonical({"model": MODEL, "messages": opening(task), "stream": True}),
        )
    for client in clients:
        assert client.getresponse().read(1) == b"d"
    lines = serving.stop(number)
    for client in clients:
        client.close()
    assert [line["kind"] for line in lines] == ["start", *["request"] * 30, "end"]
    assert {line["task"] for line in lines[1:-1]} == {task.task_id for task in tasks}
    assert lines[-1]["requests"] == 30


def test_pipelined_requests_are_answered_in_order(serve: Serve) -> None:
    serving = serve()
    bodies = [
        canonical({"model": MODEL, "messages": [{"role": "user", "content": "x"}], "max_tokens": count})
        for count in (1, 2, 3)
    ]
    with socket.create_connection(serving.address) as client:
        for body in bodies:
            client.sendall(
                b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
            )
        client.sendall(b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n")
        answers = b"".join(iter(lambda: client.recv(65536), b""))
    assert answers.count(b"HTTP/1.1 200 OK") == 4
    positions = [answers.index(b'"completion_tokens":%d' % count) for count in (1, 2, 3)]
    assert positions == sorted(positions) < [answers.index(b'"in_flight"')]
    assert b"Connection: close" in answers[positions[-1] :]


@pytest.mark.usefixtures("starts_processes")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--journal", "{folder}/taken"],
            "journal {folder}/taken exists already; give another name, or remove the file",
        ),
        (
            ["--journal", "{folder}/no/where"],
            "journal {folder}/no/where: No such file or directory; give a file in a writable folder",
        ),
        (
            ["--host", "192.0.2.1"],
            "cannot listen on 192.0.2.1 port 0: "
            "error while attempting to bind on address ('192.0.2.1', 0): cannot assign requested address; "
            "choose another --host or --port",
        ),
        (["--upstream", "host/v1"], "--upstream host/v1: not a URL; give one like https://host/v1"),
    ],
)
def test_what_makes_serving_impossible(tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "taken").touch()
    command = [sys.executable, "-m", "agentdyno", "serve", "--limit", "1"]
    done = subprocess.run(
        [*command, *(argument.format(folder=tmp_path) for argument in arguments)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"agentdyno: {message.format(folder=tmp_path)}\n"


def test_times_are_drawn_by_key() -> None:
    draws = [PROFILES["chat-7b"].offsets_ns(50, keyed(0, "task", 1, "times")) for _ in range(2)]
    assert draws[0] == draws[1] != PROFILES["chat-7b"].offsets_ns(50, keyed(0, "task", 2, "times"))
