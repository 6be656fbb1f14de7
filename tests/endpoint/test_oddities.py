"""What servers do that no runtime can use is named in the journal, with their own words about refusals."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdyno.endpoint.said import MOST_SHOWN, said
from agentdyno.endpoint.stream import Completion, EventStream
from agentdyno.tasks.load import load
from agentdyno.tasks.plan import plan
from endpoint.test_relay import HELLO, Serve, post, upstream
from endpoint.test_service import MODEL, conversation

KEY = "sk-very-secret-4711"


def delta(finish_reason: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish_reason}]}


def camel(reason: str, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finishReason": reason}]}


TEXT = delta(content="fine")
STOP = delta("stop")


@pytest.mark.parametrize(
    ("chunks", "oddities"),
    [
        ([TEXT, STOP], []),
        ([delta(content="", reasoning="hm"), TEXT, STOP], []),
        ([delta(content="", reasoning_content="hm"), STOP], ["only_reasoning"]),
        ([delta(content=" \n", reasoning="hm"), STOP], ["only_reasoning"]),
        ([delta(reasoning="hm"), delta("length")], ["cut", "only_reasoning"]),
        ([TEXT, delta("length")], ["cut"]),
        ([delta(content=[{"type": "text", "text": "fine"}]), STOP], ["content_parts"]),
        ([delta("stop", content="fi"), delta("stop", content="ne")], ["late_text"]),
        ([delta("stop", content="fine"), delta("stop", content="")], []),
        ([TEXT, camel("stop")], ["camel_case"]),
        ([camel("stop", content="fine"), STOP], ["camel_case"]),
        ([delta(content=None), delta(content=[]), STOP], []),
    ],
)
def test_a_reply_that_no_runtime_can_use_has_a_name(
    chunks: list[dict[str, Any]], oddities: list[str]
) -> None:
    completion = Completion()
    for chunk in chunks:
        completion.add(json.dumps(chunk))
    completion.end()
    assert completion.oddities == oddities


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(
        st.sampled_from(["content", "reasoning", "finish_reason", "finishReason", "delta", "usage", "error"]),
        inner,
        max_size=3,
    ),
)  # fmt: skip


@given(st.lists(st.fixed_dictionaries({"choices": st.lists(JSON, max_size=2)}, optional={"usage": JSON})))
def test_any_chunks_are_read(chunks: list[Any]) -> None:
    completion = Completion()
    for chunk in chunks:
        completion.add(json.dumps(chunk))
    completion.end()
    assert set(completion.oddities) <= {"only_reasoning", "cut", "content_parts", "late_text", "camel_case"}


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'{"error": {"message": "too many", "code": 1}}', "too many"),
        (b'{"error": "model not found"}', "model not found"),
        (b'{"object": "error", "message": "no such model"}', "no such model"),
        (b'{"detail": "Not Found"}', "Not Found"),
        (b'{"detail": [{"msg": "bad"}]}', '{"detail": [{"msg": "bad"}]}'),
        (b"<html>\n gone </html>", "<html> gone </html>"),
        (b"", ""),
        (b"\xff\x1b[2J", "\ufffd\ufffd[2J"),
        (f'{{"error": {{"message": "key {KEY} is\\u0007 wrong"}}}}'.encode(), "key … is\ufffd wrong"),
        (b"x" * 5000, "x" * MOST_SHOWN),
        (b'{"error": {"message": "half \\ud800"}}', "half ?"),
    ],
)
def test_a_servers_words_are_one_line_without_the_key(body: bytes, shown: str) -> None:
    assert said(body, [KEY]) == shown


def answer(status: int, *pieces: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answers with these pieces of a body."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(b"".join(pieces))))
        handler.end_headers()
        for piece in pieces:
            handler.wfile.write(piece)

    return respond


def journalled(serve: Serve, respond: Callable[[BaseHTTPRequestHandler], None]) -> dict[str, Any]:
    """The journal's line of one streamed request that `respond` answers."""
    with upstream(respond) as base_url:
        serving = serve("--upstream", base_url)
        post(serving.address, HELLO | {"stream": True}, Authorization=f"Bearer {KEY}")
        _, line, end = serving.stop()
    assert end["kind"] == "end"
    found: dict[str, Any] = line
    return found


def test_a_refusal_is_journalled_in_the_servers_words(serve: Serve) -> None:
    words = f"This model's maximum context length is 4096 tokens (key {KEY})"
    line = journalled(serve, answer(400, json.dumps({"error": {"message": words}}).encode()))
    assert (line["status"], line["served"], line["oddities"]) == (400, False, [])
    assert line["said"] == "This model's maximum context length is 4096 tokens (key …)"


def test_an_error_in_the_stream_is_journalled_in_the_servers_words(serve: Serve) -> None:
    line = journalled(serve, answer(200, b'data: {"error": {"message": "out of\\nmemory", "code": [1]}}\n\n'))
    assert (line["status"], line["served"], line["said"]) == (200, False, "out of memory")


def test_oddities_are_journalled(serve: Serve) -> None:
    chunks = [delta(reasoning="hm"), delta("length"), "[DONE]"]
    stream = "".join(f"data: {one if isinstance(one, str) else json.dumps(one)}\n\n" for one in chunks)
    line = journalled(serve, answer(200, stream.encode()))
    assert (line["served"], line["oddities"], line["said"]) == (True, ["cut", "only_reasoning"], None)


@pytest.mark.parametrize(
    "odd",
    [
        '"created": 1e400',
        f'"created": {"9" * 5000}',
        f'"extra": {"[" * 300}{"]" * 300}',
        '"usage": {"prompt_tokens": 1e400, "completion_tokens": {"a": 1}}',
        f'"usage": {{"prompt_tokens": {"9" * 5000}}}',
    ],
    ids=["a number beyond a double", "5,000 digits", "300 lists", "no counts", "a count of 5,000 digits"],
)
@pytest.mark.parametrize("is_last", [False, True])
def test_valid_json_in_fields_that_are_passed_over_breaks_nothing(
    serve: Serve, odd: str, is_last: bool
) -> None:
    chunk = f'{{{odd}, "choices": [{{"delta": {{"content": "fine"}}, "finish_reason": null}}]}}'
    chunks = [chunk, json.dumps(STOP)] if not is_last else [json.dumps(TEXT), chunk, json.dumps(STOP)]
    stream = "".join(f"data: {one}\n\n" for one in chunks).encode()
    assert len(EventStream().feed(stream)) == len(chunks)
    line = journalled(serve, answer(200, stream))
    assert (line["served"], line["finish"], line["error"]) == (True, "stop", None)
    assert (line["prompt_tokens"], line["completion_tokens"]) == (None, None)


def test_a_finish_reason_that_is_no_text_in_unicode_leaves_a_journal_that_can_be_read(serve: Serve) -> None:
    stream = b'data: {"choices": [{"delta": {"content": "a"}, "finish_reason": "\\ud800\\u001b"}]}\n\n'
    line = journalled(serve, answer(200, stream))
    assert (line["served"], line["finish"]) == (True, "?\ufffd")


FAILURE = """The tests do not pass. This is what pytest printed:

```text
{}
```

Find the mistake."""


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (
            "x.py:3: in f\nE   ModuleNotFoundError: No module named 'numpy'\nE   more\n1 error",
            "No module named 'numpy'",
        ),
        ("/venv/bin/python: No module named pytest\n", "/venv/bin/python: No module named pytest"),
        ("E   \x1b[31mred", "\ufffd[31mred"),
        ("", None),
    ],
)
def test_why_a_reply_failed_that_the_script_makes_pass(serve: Serve, output: str, reason: str | None) -> None:
    tasks = load("builtin", 100)
    plans = plan([task.task_id for task in tasks], 0)
    right = next(task for task in tasks if not plans[task.task_id].failures)
    wrong = next(task for task in tasks if plans[task.task_id].failures)
    serving = serve("--limit", "100", "--profile", "instant")
    feedback = {"role": "user", "content": FAILURE.format(output)}
    for task in (right, wrong):
        messages = conversation(task, 2)[:-1]
        post(serving.address, {"model": MODEL, "messages": [*messages, feedback]})
    _, of_right, of_wrong, _ = serving.stop()
    assert of_wrong["unplanned_failure"] is None
    if reason is None:
        assert of_right["unplanned_failure"] is None
    else:
        assert reason in of_right["unplanned_failure"]
