"""What the cases of streams share."""

import hashlib

from agentdyno.conformance import wire
from agentdyno.conformance.endpoint import Answer, Exchange
from agentdyno.conformance.observation import Observation
from agentdyno.conformance.stage import PASSING, Stage
from agentdyno.conformance.violation import require
from agentdyno.conformance.wire import chunked, completion, fenced

REPLY = fenced(f"{PASSING}# grüß 漢字 😀\n")
USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
OVERLOADED = {"error": {"message": "overloaded", "code": 503}}

ROLE, *CONTENT, FINISH, DONE = completion(REPLY)
"""The events of an ordinary completion."""


async def one_try(
    stage: Stage, answer: Answer, reply: str = REPLY, usage: dict[str, int] | None = None
) -> str:
    """Require that an answer is a completion with this text and this usage."""
    observed = await stage.run(answer, transport={"max_retries": 0})
    require_completion(observed, reply, usage)
    return "a completion at the first try"


async def one_stream(
    stage: Stage, *events: bytes, reply: str = REPLY, usage: dict[str, int] | None = None
) -> str:
    """Require that these events are a completion with this text and this usage."""
    return await one_try(stage, lambda exchange: exchange.stream(*events), reply, usage)


async def one_response(stage: Stage, *pieces: bytes) -> str:
    """Require that these bytes, and then the end of the connection, are an ordinary completion."""

    async def answer(exchange: Exchange) -> None:
        await exchange.send(*pieces)
        exchange.close()

    return await one_try(stage, answer)


async def two_tries(stage: Stage, bad: Answer) -> str:
    """Require that an answer is a failed try, and that nothing of it is left once the next has succeeded."""

    async def answer(exchange: Exchange) -> None:
        await (exchange.reply(REPLY) if exchange.request.number > 1 else bad(exchange))

    observed = await stage.run(answer, transport={"max_retries": 1})
    require(
        len(observed.requests) == 2,
        f"{len(observed.requests)} requests, expected 2; {observed.outcome().reason}",
    )
    require_completion(observed, REPLY, None)
    retries = observed.attempt().transport_retries
    require(retries == 1, f"transport_retries {retries}, expected 1")
    return "a failed try, and the next succeeded"


def require_completion(observed: Observation, reply: str, usage: dict[str, int] | None) -> None:
    """Require that the task has passed with this text and usage."""
    outcome, attempt = observed.outcome(), observed.attempt()
    require(attempt.verdict != "error", f"no completion, {attempt.reason}; {observed.ending}")
    expected = hashlib.sha256(reply.encode()).hexdigest()
    require(attempt.completion_sha256 == expected, f"completion_sha256 is not that of {reply[:80]!r}")
    require(attempt.usage == usage, f"usage {attempt.usage}, expected {usage}")
    require(outcome.outcome == "passed", f"outcome {outcome.outcome}, verdict {attempt.verdict}")


def each_byte(data: bytes) -> list[bytes]:
    """The bytes, apart."""
    return [data[at : at + 1] for at in range(len(data))]


def body(*events: bytes) -> bytes:
    """A chunked body, whole."""
    return b"".join(map(chunked, events)) + wire.LAST_CHUNK
