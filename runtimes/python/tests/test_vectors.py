"""Every vector of the contract, against every part that the contract defines by vectors."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from agentloop import (
    BrokenStream,
    Completion,
    Conversation,
    EventStream,
    Prompts,
    Task,
    extract,
    judge,
    normalise,
)
from agentloop.backoff import retry_after_s
from agentloop.endpoint import Endpoint, parse_base_url

CONTRACT = Path(__file__).parents[2] / "contract"
Case = dict[str, Any]


def cases(name: str) -> Any:
    return pytest.mark.parametrize(
        "case",
        [
            pytest.param(case, id=case["name"])
            for case in json.loads((CONTRACT / "vectors" / name).read_text())
        ],
    )


def bytes_of(case: Case, name: str) -> bytes:
    encoded = case.get(f"{name}_base64")
    return case[name].encode() if encoded is None else base64.b64decode(encoded)


def completion_of(data: list[str]) -> Case:
    completion = Completion()
    error = None
    try:
        for item in data:
            completion.add(item)
        completion.end()
    except BrokenStream as broken:
        error = broken.kind
    return {
        "text": None if error else completion.text,
        "finish_reason": None if error else completion.finish_reason,
        "usage": None if error else completion.usage,
        "error": error,
    }


@cases("extraction.json")
def test_extraction(case: Case) -> None:
    assert extract(case["reply"], case["entry_point"]) == case["expected"]


@cases("feedback.json")
def test_feedback(case: Case) -> None:
    assert (
        normalise(bytes_of(case, "stdout"), bytes_of(case, "stderr"), case["workspace"]) == case["expected"]
    )


@cases("verdicts.json")
def test_verdict(case: Case) -> None:
    assert judge(case["exit_code"], case["timed_out"], case["stdout"].encode()) == case["expected"]


@cases("sse.json")
def test_sse_cut_anywhere(case: Case) -> None:
    stream = bytes_of(case, "stream")
    ways_to_cut = [[stream], [stream[i : i + 1] for i in range(len(stream))]]
    ways_to_cut += [[stream[:cut], stream[cut:]] for cut in range(len(stream))]
    for pieces in ways_to_cut:
        events = EventStream()
        assert [data for piece in pieces for data in events.feed(piece)] == case["data"]


@cases("sse.json")
def test_completion(case: Case) -> None:
    assert completion_of(case["data"]) == case["completion"]


@cases("messages.json")
def test_messages(case: Case) -> None:
    conversation = Conversation(Prompts(**case["prompts"]), Task(**case["task"], entry_point="f"))
    for turn in case["turns"]:
        if turn["then"] == "tests_failed":
            conversation.tests_failed(turn["reply"], turn["output"])
        elif turn["then"] == "timed_out":
            conversation.timed_out(turn["reply"])
        else:
            conversation.no_code(turn["reply"])
    body = conversation.body(case["model"], case["request"])
    assert body.decode() == case["body"]
    assert hashlib.sha256(body).hexdigest() == case["sha256"]


@cases("retry_after.json")
def test_retry_after(case: Case) -> None:
    assert retry_after_s(case["value"], case["now"]) == case["expected"]


@cases("base_url.json")
def test_base_url(case: Case) -> None:
    address = parse_base_url(case["base_url"])
    assert (address and address._asdict()) == case["expected"]


@cases("reasons.json")
def test_reason(case: Case) -> None:
    assert Endpoint("http://h/v1", case["key"]).presentable(case["said"]) == case["expected"]


def test_messages_vector_holds_the_prompts_in_use() -> None:
    in_use = json.loads((CONTRACT / "prompts.json").read_text())
    del in_use["version"]
    vectors = json.loads((CONTRACT / "vectors" / "messages.json").read_text())
    assert in_use in [case["prompts"] for case in vectors]


@pytest.mark.parametrize("name", sorted(path.stem for path in (CONTRACT / "vectors").glob("*.json")))
def test_every_case_has_a_name_of_its_own_and_says_why(name: str) -> None:
    vectors = json.loads((CONTRACT / "vectors" / f"{name}.json").read_text())
    assert len({case["name"] for case in vectors}) == len(vectors)
    assert all(case["why"] for case in vectors)
