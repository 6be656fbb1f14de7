"""The stream: the parts that its cases are made of, and how it ends."""

import hashlib
import time

from agentdyno.conformance import wire
from agentdyno.conformance.case import case
from agentdyno.conformance.endpoint import Answer, Exchange
from agentdyno.conformance.invariants import Observation
from agentdyno.conformance.rules import NotPossible, require
from agentdyno.conformance.stage import PASSING, Stage
from agentdyno.conformance.wire import chunked, completion, delta, event, fenced

REPLY = fenced(f"{PASSING}# grüß 漢字 😀\n")
USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
OVERLOADED = {"error": {"message": "overloaded", "code": 503}}

ROLE, *CONTENT, FINISH, DONE = completion(REPLY)
"""The events of an ordinary completion."""


def with_choices(*choices: dict[str, object], **fields: object) -> bytes:
    """A chunk with these choices and further fields."""
    return event({**delta(), "choices": list(choices), **fields})


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


WAITED_S = 3.0
"""A generous bound for the 1 s that is waited for what follows a finish_reason."""


@case("stream.finish", "no [DONE]")
async def no_done(stage: Stage) -> str:
    return await one_stream(stage, ROLE, *CONTENT, FINISH)


@case("stream.finish", "[DONE] without its blank line")
async def done_without_its_blank_line(stage: Stage) -> str:
    return await one_stream(stage, ROLE, *CONTENT, FINISH, b"data: [DONE]")


@case("stream.finish", "[DONE] without a finish_reason")
async def done_without_a_finish_reason(stage: Stage) -> str:
    return await two_tries(stage, lambda exchange: exchange.stream(ROLE, *CONTENT, DONE))


@case("stream.finish", "end without a finish_reason")
async def end_without_a_finish_reason(stage: Stage) -> str:
    return await two_tries(stage, lambda exchange: exchange.stream(ROLE, *CONTENT))


@case("stream.finish", "closed without a finish_reason")
async def closed_without_a_finish_reason(stage: Stage) -> str:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(wire.head(connection="close"), ROLE, *CONTENT)
        exchange.close()

    return await two_tries(stage, answer)


@case("stream.finish", "finish_reason without its blank line")
async def finish_reason_without_its_blank_line(stage: Stage) -> str:
    return await two_tries(stage, lambda exchange: exchange.stream(ROLE, *CONTENT, FINISH[:-1]))


@case("stream.finish", "closed after the finish_reason")
async def closed_after_the_finish_reason(stage: Stage) -> str:
    return await one_response(stage, wire.head(), *map(chunked, [ROLE, *CONTENT, FINISH]))


@case("stream.finish", "no HTTP after the finish_reason")
async def no_http_after_the_finish_reason(stage: Stage) -> str:
    return await one_response(stage, wire.head(), *map(chunked, [ROLE, *CONTENT, FINISH]), b"no chunk\r\n")


@case("stream.finish", "error after the finish_reason")
async def error_after_the_finish_reason(stage: Stage) -> str:
    return await one_stream(stage, ROLE, *CONTENT, FINISH, event(OVERLOADED))


@case("stream.finish", "malformed JSON after the finish_reason")
async def malformed_after_the_finish_reason(stage: Stage) -> str:
    return await one_stream(stage, ROLE, *CONTENT, FINISH, b"data: {\n\n")


@case("stream.finish", "content after the finish_reason")
async def content_after_the_finish_reason(stage: Stage) -> str:
    return await one_stream(stage, ROLE, *CONTENT, FINISH, event(delta(content="more")), DONE)


@case("stream.finish", "usage 0.5 s after the finish_reason")
async def late_usage(stage: Stage) -> str:
    finished: list[float] = []

    async def answer(exchange: Exchange) -> None:
        await exchange.send(wire.head(), *map(chunked, [ROLE, *CONTENT, FINISH]))
        finished.append(time.monotonic())
        await exchange.pause(0.5)
        await exchange.send(body(with_choices(usage=USAGE), DONE))
        finished.append(time.monotonic())

    observed = await stage.run(answer, transport={"max_retries": 0})
    if len(finished) == 2 and (late_s := finished[1] - finished[0]) > 0.9:
        raise NotPossible(f"this machine took {late_s:.2f} s for what was due after 0.5 s")
    require_completion(observed, REPLY, USAGE)
    return "the usage was waited for"


@case("stream.finish", "silent after the finish_reason")
async def silent_after_the_finish_reason(stage: Stage) -> str:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(wire.head(), *map(chunked, [ROLE, *CONTENT, FINISH]))
        await exchange.silence()

    return await not_held(stage, answer)


@case("stream.finish", "endless after the finish_reason")
async def endless_after_the_finish_reason(stage: Stage) -> str:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(wire.head(), *map(chunked, [ROLE, *CONTENT, FINISH]))
        end = time.monotonic() + WAITED_S + 1
        while time.monotonic() < end:
            await exchange.send(chunked(with_choices()), chunked(b": keep-alive\n\n"))
            await exchange.pause(0.05)

    return await not_held(stage, answer)


async def not_held(stage: Stage, answer: Answer) -> str:
    """Require that what follows the finish_reason holds none of three agents for long."""
    tasks = [f"task/{number}" for number in range(3)]
    observed = await stage.run(answer, tasks=tasks, agents=3, transport={"max_retries": 0})
    waited = []
    for name in tasks:
        outcome, attempt = observed.outcome(name), observed.attempt(1, name)
        require(
            outcome.outcome == "passed", f"outcome {outcome.outcome}, {outcome.reason}; {observed.ending}"
        )
        require(
            attempt.t_last is not None and attempt.t_queue is not None, "passed without t_last or t_queue"
        )
        waited.append(((attempt.t_queue or 0) - (attempt.t_last or 0)) / 1e9)
    longest = max(waited)
    require(longest < WAITED_S, f"{longest:.2f} s from finish_reason to verification, expected 1 s at most")
    return f"{longest:.2f} s at most from finish_reason to verification"
