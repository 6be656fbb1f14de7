"""Streams: errors within a response."""

import gzip

from agentdyno.conformance import wire
from agentdyno.conformance.case import case
from agentdyno.conformance.cases.stream import (
    CONTENT,
    DONE,
    FINISH,
    OVERLOADED,
    ROLE,
    body,
    one_stream,
    two_tries,
)
from agentdyno.conformance.stage import Stage
from agentdyno.conformance.wire import event


@case("stream.errors", "error object")
async def error_object(stage: Stage) -> str:
    return await two_tries(stage, lambda exchange: exchange.stream(ROLE, *CONTENT, event(OVERLOADED)))


@case("stream.errors", "error object, and a finish_reason after it")
async def error_object_and_a_finish_reason(stage: Stage) -> str:
    return await two_tries(
        stage, lambda exchange: exchange.stream(ROLE, event(OVERLOADED), *CONTENT, FINISH, DONE)
    )


@case("stream.errors", "event of type error")
async def event_of_type_error(stage: Stage) -> str:
    return await two_tries(
        stage, lambda exchange: exchange.stream(ROLE, b"event: error\n" + event({"error": "overloaded"}))
    )


@case("stream.errors", "field named error")
async def field_named_error(stage: Stage) -> str:
    return await one_stream(stage, ROLE, b"error: overloaded\n\n", *CONTENT, FINISH, DONE)


@case("stream.errors", "malformed JSON")
async def malformed_json(stage: Stage) -> str:
    return await two_tries(
        stage, lambda exchange: exchange.stream(ROLE, b'data: {"choices": [\n\n', *CONTENT, FINISH, DONE)
    )


@case("stream.errors", "empty body")
async def empty_body(stage: Stage) -> str:
    return await two_tries(stage, lambda exchange: exchange.send(wire.head(content_length=0)))


@case("stream.errors", "error as a JSON body")
async def error_as_a_json_body(stage: Stage) -> str:
    return await two_tries(stage, lambda exchange: exchange.send(wire.json_error(200, "overloaded")))


@case("stream.errors", "another type")
async def another_type(stage: Stage) -> str:
    response = wire.head(content_type="text/plain") + body(ROLE, *CONTENT, FINISH, DONE)
    return await two_tries(stage, lambda exchange: exchange.send(response))


@case("stream.errors", "compressed")
async def compressed(stage: Stage) -> str:
    stream = gzip.compress(b"".join([ROLE, *CONTENT, FINISH, DONE]))
    response = wire.head(content_encoding="gzip") + body(stream)
    return await two_tries(stage, lambda exchange: exchange.send(response))


@case("stream.errors", "said to be compressed")
async def said_to_be_compressed(stage: Stage) -> str:
    response = wire.head(content_encoding="br") + body(ROLE, *CONTENT, FINISH, DONE)
    return await two_tries(stage, lambda exchange: exchange.send(response))
