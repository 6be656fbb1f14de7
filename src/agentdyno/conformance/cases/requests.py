"""Requests: their head, their body, and how many there are."""

import json
import socket
from typing import Any
from urllib.parse import urlsplit

from agentdyno.conformance import wire
from agentdyno.conformance.case import case
from agentdyno.conformance.endpoint import Exchange
from agentdyno.conformance.invariants import Observation
from agentdyno.conformance.rules import NotPossible, require
from agentdyno.conformance.stage import FAILING, PASSING, PROMPTS, Stage, passing, task
from agentdyno.conformance.wire import fenced
from agentdyno.tasks.first_request import canonical


async def thrice(exchange: Exchange) -> None:
    """Ask for a second try, for a second attempt, and no more."""
    match exchange.request.attempt, exchange.request.number:
        case 1, 1:
            await exchange.send(wire.json_error(500))
        case 1, _:
            await exchange.code(FAILING)
        case _:
            await exchange.code(PASSING)


# The head


@case("request.head", "every request")
async def head_of_every_request(stage: Stage) -> str:
    return require_head(await stage.run(thrice))


@case("request.head", "a longer path")
async def a_longer_path(stage: Stage) -> str:
    def longer(document: dict[str, Any]) -> None:
        document["base_url"] = document["base_url"].replace("/v1", "/proxy/~a-b.c/api/v1")

    return require_head(await stage.run(thrice, change=longer), "/proxy/~a-b.c/api/v1/chat/completions")


@case("request.head", "a query")
async def a_query(stage: Stage) -> str:
    """The path of the request is before it."""

    def queried(document: dict[str, Any]) -> None:
        document["base_url"] += "?api-version=2024-10-21&x=a/b?c%20d"

    return require_head(
        await stage.run(thrice, change=queried), "/v1/chat/completions?api-version=2024-10-21&x=a/b?c%20d"
    )


@case("request.head", "a host name")
async def a_host_name(stage: Stage) -> str:
    addresses = {entry[4][0] for entry in socket.getaddrinfo("localhost", None)}
    if "127.0.0.1" not in addresses:
        raise NotPossible("localhost is not 127.0.0.1 on this machine")

    def by_name(document: dict[str, Any]) -> None:
        document["base_url"] = document["base_url"].replace("127.0.0.1", "localhost")

    return require_head(await stage.run(thrice, change=by_name))


def require_head(observed: Observation, path: str = "/v1/chat/completions") -> str:
    """Require that all three requests went to the base URL, as JSON."""
    require(len(observed.requests) == 3, f"{len(observed.requests)} requests, expected 3; {observed.ending}")
    host = urlsplit(json.loads((observed.folder / "run.json").read_text())["base_url"]).netloc
    for number, request in enumerate(observed.requests, start=1):
        require(
            request.line.split()[:2] == ["POST", path],
            f"request {number} begins {request.line!r}, expected POST {path}",
        )
        require(request.header("host") == [host], f"request {number}: Host {request.header('host')}")
        types = [value.partition(";")[0].strip().lower() for value in request.header("content-type")]
        require(types == ["application/json"], f"request {number}: Content-Type {types}")
    return f"{len(observed.requests)} requests, POST {path}"


# The body


@case("request.canonical", "numbers")
async def numbers(stage: Stage) -> str:
    return await fields(
        stage,
        {
            "whole": [1.0, -1.0, 0.0, -0.0, 100.0, 0, -1, 2**31],
            "fractions": [0.1, -0.5, 0.7, 1.5, 1 / 3, 2 / 3, 123456.789, 4503599627370495.5],
            "small": [
                0.001,
                0.0001,
                0.00012,
                1e-05,
                1.5e-07,
                -2.5e-10,
                1e-100,
                2.2250738585072014e-308,
                5e-324,
            ],
        },
    )


@case("request.canonical", "large numbers")
async def large_numbers(stage: Stage) -> str:
    """Whole ones, with all their digits: integers of 64 bits, and whatever is a double."""
    return await fields(
        stage,
        {
            "seed": [2**53 + 1, 2**63 - 1, -(2**63)],
            "doubles": [1e15, 1e16, 123456789012345680.0, -1e21, 1e22, 1e300, 1.7976931348623157e308],
        },
    )


@case("request.canonical", "keys")
async def keys(stage: Stage) -> str:
    names = ["", " ", "Z", "a", "modem", "models", "streal", "n", "\x00", "\x7f", "é", "e\u0301", "\u2028"]
    names += ["\ue000", "\uff01", "\U0001f600", "\U0010ffff", '"', "\\", "/", "messages2", "10", "9"]
    return await fields(stage, {name: {name: number, "": None} for number, name in enumerate(names)})


@case("request.canonical", "texts")
async def texts(stage: Stage) -> str:
    every = "".join(map(chr, range(0x100))) + "\u2028\u2029\ufeff\ufffd\uffff\U0001f600</script>&amp;"
    return await fields(stage, {"stop": [every, "", "\r\n", "\\u0041", "\\\\"], "user": every})


@case("request.canonical", "nesting")
async def nesting(stage: Stage) -> str:
    deep: object = True
    for _ in range(30):
        deep = {"b": [deep, [], {}, None, False], "a": ""}
    return await fields(stage, {"response_format": deep})


async def fields(stage: Stage, request: dict[str, object]) -> str:
    """Require that further fields arrive in canonical JSON."""
    observed = await stage.run(passing, request=request)
    require(len(observed.requests) == 1, f"{len(observed.requests)} requests, expected 1; {observed.ending}")
    messages = [
        {"role": "system", "content": PROMPTS["system"]},
        {"role": "user", "content": "task/1\n{prompt}\n{tests}".format(**task("task/1"))},
    ]
    expected = canonical({**request, "model": "conform", "stream": True, "messages": messages})
    body = observed.requests[0].body
    at = next((i for i, pair in enumerate(zip(body, expected, strict=False)) if pair[0] != pair[1]), -1)
    require(
        body == expected,
        f"{body[max(0, at - 20) : at + 30]!r}, expected {expected[max(0, at - 20) : at + 30]!r} (byte {at})",
    )
    return f"{len(body)} bytes"


@case("messages.conversation", "four attempts")
async def four_attempts(stage: Stage) -> str:
    async def answer(exchange: Exchange) -> None:
        match exchange.request.attempt:
            case 1:
                await exchange.code(FAILING)
            case 2:
                await exchange.reply("I had rather not.")
            case 3:
                await exchange.code("while True: pass\n")
            case _:
                await exchange.code(PASSING)

    one = task("task/1", prompt="def f({output}):\n", tests="{task_id} {prompt} {{}} \u2028\x7f\U0001f600\n")
    observed = await stage.run(answer, tasks=[one], verify={"timeout_s": 0.5}, request={"temperature": 0.5})
    user = f"task/1\n{one['prompt']}\n{one['tests']}"
    turns = [
        ("system", PROMPTS["system"]),
        ("user", user),
        ("assistant", fenced(FAILING)),
        ("user", "It printed:\n1 failed\nTry again."),
        ("assistant", "I had rather not."),
        ("user", PROMPTS["no_code"]),
        ("assistant", fenced("while True: pass\n")),
        ("user", PROMPTS["timed_out"]),
    ]
    messages = [{"role": role, "content": content} for role, content in turns]
    for number, request in enumerate(observed.requests, start=1):
        body = {"model": "conform", "stream": True, "temperature": 0.5, "messages": messages[: 2 * number]}
        require(
            request.body == canonical(body),
            f"request {number} is {request.body!r}, expected {canonical(body)!r}",
        )
    require(len(observed.requests) == 4, f"{len(observed.requests)} requests, expected 4")
    require(observed.outcome().outcome == "passed", f"outcome {observed.outcome().outcome}")
    return "4 requests, byte for byte"


@case("messages.conversation", "texts as they are")
async def texts_as_they_are(stage: Stage) -> str:
    """What was said is sent back in full, the thoughts and the odd characters of it included."""
    odd = "\r\n \t\x00\x0b\x1f\x7f\x85\u2028\ufeff\U0001f600 {output} {prompt} $& \\1 %s \\n \"'</think>\n"
    replies = [f"<think>{odd}</think>{odd}", f"{odd}{fenced(FAILING)}{odd}", f"\n\n{odd}\n\n"]

    async def answer(exchange: Exchange) -> None:
        await exchange.reply([*replies, "That is all."][exchange.request.attempt - 1])

    observed = await stage.run(answer, max_retries=len(replies))
    said = [
        message["content"] for message in observed.requests[-1].messages if message["role"] == "assistant"
    ]
    require(said == replies, f"the last request has the replies {said!r}, expected {replies!r}")
    return f"{len(said)} replies as they were"


# How many


@case("attempts.bound", "none again")
async def none_again(stage: Stage) -> str:
    observed = await stage.run(lambda exchange: exchange.code(FAILING), max_retries=0)
    return require_attempts(observed, "task/1", ["failed"], "failed")


@case("attempts.bound", "whatever made them fail")
async def whatever_made_them_fail(stage: Stage) -> str:
    replies = [
        fenced(FAILING),
        fenced("print('1 passed, 1 skipped in 0.00s')\n"),
        fenced("import os; os._exit(0)\n"),
        fenced("while True: pass\n"),
        "I had rather not.",
    ]
    verdicts = ["failed", "unproven", "no_summary", "timed_out", "no_code"]
    observed = await stage.run(
        lambda exchange: exchange.reply(replies[exchange.request.attempt - 1]),
        max_retries=len(replies) - 1,
        verify={"timeout_s": 1},
    )
    return require_attempts(observed, "task/1", verdicts, "failed")


@case("attempts.bound", "up to the first that passes")
async def up_to_the_first_that_passes(stage: Stage) -> str:
    """Each of four tasks passes one attempt later than the one before it, and the last never."""
    tasks = [f"task/{number}" for number in range(1, 6)]

    async def answer(exchange: Exchange) -> None:
        number = tasks.index(exchange.request.task) + 1
        await exchange.code(PASSING if exchange.request.attempt >= number else FAILING)

    observed = await stage.run(answer, tasks=tasks, agents=2, max_retries=3)
    for before, name in enumerate(tasks[:-1]):
        require_attempts(observed, name, ["failed"] * before + ["passed"], "passed")
    return require_attempts(observed, tasks[-1], ["failed"] * 4, "failed")


def require_attempts(observed: Observation, name: str, verdicts: list[str], outcome: str) -> str:
    """Require a request and an event for each of these attempts, and this outcome."""
    found = [attempt.verdict for attempt in observed.attempts(name)]
    require(found == verdicts, f"{name}: attempts {found}, expected {verdicts}; {observed.ending}")
    requests = len(observed.of(name))
    require(requests == len(verdicts), f"{name}: {requests} requests for {len(verdicts)} attempts")
    known = observed.outcome(name)
    require(
        (known.outcome, known.attempts) == (outcome, len(verdicts)),
        f"{name}: {known.outcome} after {known.attempts} attempts, expected {outcome} after {len(verdicts)}",
    )
    return f"{len(observed.requests)} requests, as many as attempts"
