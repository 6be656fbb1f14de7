"""Requests: their head, the key, their body, and how many there are."""

import json
import socket
from typing import Any
from urllib.parse import urlsplit

from agentdyno.conformance import wire
from agentdyno.conformance.case import case
from agentdyno.conformance.endpoint import Exchange
from agentdyno.conformance.invariants import spellings
from agentdyno.conformance.observation import Observation
from agentdyno.conformance.stage import FAILING, KEY, PASSING, PROMPTS, Stage, passing, task
from agentdyno.conformance.violation import NotPossible, require
from agentdyno.conformance.wire import canonical, event, fenced

ODD_KEY = "sk-odd \"quoted\" \\back\\ {brace} $x %41 'one'"
"""Printable ASCII, so a header may hold it, with all that means something somewhere."""

SEARCH = """import os, pathlib
parts = [bytes.fromhex(part) for part in pathlib.Path({parts!r}).read_text().split()]
places = [pathlib.Path("/proc/self/environ")]
pid = os.getpid()
while pid > 1:
    places.append(pathlib.Path(f"/proc/{{pid}}/cmdline"))
    pid = int(pathlib.Path(f"/proc/{{pid}}/stat").read_text().rpartition(")")[2].split()[1])
places += pathlib.Path(f"/proc/{{os.getppid()}}/fd").iterdir()
places += pathlib.Path({folder!r}).rglob("*")
files = [place for place in places if place.is_file()]
found = [str(place) for place in files if any(part in place.read_bytes() for part in parts)]
pathlib.Path({found!r}).write_text("\\n".join([str(len(files)), *found]))
print("1 passed in 0.00s")
"""
"""What holds the key while an attempt is verified: the verifier's environment and arguments, the arguments
of those above it, the files that its parent has open, and the files of the run.
"""


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


# The key


@case("key.header", "every request")
async def key_of_every_request(stage: Stage) -> str:
    return require_key(await stage.run(thrice), [f"Bearer {KEY}"])


@case("key.header", "an odd key")
async def an_odd_key(stage: Stage) -> str:
    return require_key(await stage.run(thrice, key=ODD_KEY), [f"Bearer {ODD_KEY}"])


@case("key.header", "not set")
async def key_not_set(stage: Stage) -> str:
    return require_key(await stage.run(thrice, key=None), [])


@case("key.header", "empty")
async def key_empty(stage: Stage) -> str:
    return require_key(await stage.run(thrice, key=""), [])


def require_key(observed: Observation, expected: list[str]) -> str:
    """Require that all three requests had these Authorization headers."""
    require(len(observed.requests) == 3, f"{len(observed.requests)} requests, expected 3; {observed.ending}")
    for number, request in enumerate(observed.requests, start=1):
        found = request.header("authorization")
        require(found == expected, f"request {number}: Authorization {found}, expected {expected}")
    return f"{'in' if expected else 'no header in'} {len(observed.requests)} requests"


@case("key.secret", "an endpoint that quotes it")
async def an_endpoint_that_quotes_it(stage: Stage) -> str:
    return await quoted(stage, KEY)


@case("key.secret", "an endpoint that quotes an odd key")
async def an_endpoint_that_quotes_an_odd_key(stage: Stage) -> str:
    return await quoted(stage, ODD_KEY)


async def quoted(stage: Stage, key: str) -> str:
    """Whatever the endpoint says ends up in a reason; every run is searched for the key afterwards."""
    typed = wire.head(401, content_type=key, content_length=0)
    said = {
        "status 401": wire.json_error(401, f"Incorrect API key provided: {key}."),
        "plain text": wire.head(403, "text/plain", content_length=len(key)) + key.encode(),
        "header": wire.head(400, content_length=0, x_key=key, www_authenticate=f'Bearer realm="{key}"'),
        "reason phrase": typed.replace(b"401 Unauthorized", b"401 " + key.encode()),
        "Content-Type": wire.head(content_type=key, content_length=0),
        "Content-Encoding": wire.head(content_encoding=key, content_length=0),
        "Location": wire.head(307, location=f"/v1/{key}", content_length=0),
        "error event": stream(event({"error": {"message": f"Incorrect key {key}", "code": 401}})),
        "error text": stream(event({"error": f"Incorrect key {key}"})),
        "error of another shape": stream(event({"error": {"key": {key: [key]}}})),
        "malformed event": stream(event(f"Incorrect key {key}")),
        "no HTTP": f"Incorrect key {key}\r\n\r\n".encode(),
    }

    async def answer(exchange: Exchange) -> None:
        await exchange.send(said[exchange.request.task])
        exchange.close()

    observed = await stage.run(answer, tasks=list(said), agents=4, key=key, transport={"max_retries": 0})
    return require_errors(observed, list(said))


def stream(*events: bytes) -> bytes:
    """A whole response with these events."""
    return wire.head() + b"".join(map(wire.chunked, events)) + wire.LAST_CHUNK


@case("key.secret", "an endpoint that quotes it at length")
async def an_endpoint_that_quotes_it_at_length(stage: Stage) -> str:
    """Wherever a runtime cuts what the endpoint says, white space left out or not, half a key is none."""
    bodies = {
        f"after {space} spaces and {more} letters": " " * space + "x" * more + KEY * 100
        for space in range(0, 9000, 1000)
        for more in range(0, len(KEY), len(KEY) // 3)
    }

    async def answer(exchange: Exchange) -> None:
        said = bodies[exchange.request.task].encode()
        await exchange.send(wire.head(401, "text/plain", content_length=len(said)), said)
        exchange.close()

    observed = await stage.run(answer, tasks=list(bodies), agents=4)
    return require_errors(observed, list(bodies))


def require_errors(observed: Observation, tasks: list[str]) -> str:
    """Require that every task ended with a reason of one line."""
    for name in tasks:
        outcome = observed.outcome(name)
        require(outcome.outcome == "error", f"{name}: outcome {outcome.outcome}; {observed.ending}")
        lines = (outcome.reason or "").splitlines()
        require(len(lines) == 1, f"{name}: reason {outcome.reason!r}, expected one line")
    return f"quoted in {len(tasks)} ways, found in no reason"


@case("key.secret", "while an attempt is verified")
async def while_an_attempt_is_verified(stage: Stage) -> str:
    parts, found = stage.folder / "parts", stage.folder / "found"
    parts.write_text(" ".join(part.hex() for part in spellings(KEY)))
    searching = SEARCH.format(parts=str(parts), folder=str(stage.folder), found=str(found))
    observed = await stage.run(lambda exchange: exchange.code(searching))
    require(found.exists(), f"the verifier found nothing out; {observed.ending}")
    count, *places = found.read_text().splitlines()
    require(not places, f"in {', '.join(places[:3])}")
    return f"in none of {count} files, arguments and environments"


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
