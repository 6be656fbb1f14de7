"""The stream: its framing, and the errors that it can carry."""

import gzip
import re

from agentdyno.conformance import wire
from agentdyno.conformance.case import case
from agentdyno.conformance.cases.stream_finish import (
    CONTENT,
    DONE,
    FINISH,
    OVERLOADED,
    REPLY,
    ROLE,
    body,
    each_byte,
    one_stream,
    one_try,
    two_tries,
)
from agentdyno.conformance.stage import PASSING, Stage
from agentdyno.conformance.wire import completion, event, fenced


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


LONG = 2**20


def line_ends(line_end: bytes) -> list[bytes]:
    """The events of an ordinary completion with other line ends; those of the reply are escaped."""
    return [piece.replace(b"\n", line_end) for piece in completion(REPLY)]


# Framing of events


@case("stream.framing", "CRLF")
async def crlf(stage: Stage) -> str:
    return await one_stream(stage, *line_ends(b"\r\n"))


@case("stream.framing", "CR")
async def carriage_returns(stage: Stage) -> str:
    return await one_stream(stage, *line_ends(b"\r"))


@case("stream.framing", "CRLF, a byte a chunk")
async def crlf_byte_by_byte(stage: Stage) -> str:
    return await one_stream(stage, *each_byte(b"".join(line_ends(b"\r\n"))))


@case("stream.framing", "byte order mark")
async def byte_order_mark(stage: Stage) -> str:
    return await one_stream(stage, b"\xef\xbb\xbf" + CONTENT[0], *CONTENT[1:], FINISH, DONE)


@case("stream.framing", "two events in one chunk")
async def two_events_in_one_chunk(stage: Stage) -> str:
    return await one_stream(stage, ROLE, b"".join(CONTENT), FINISH + DONE)


@case("stream.framing", "one packet")
async def one_packet(stage: Stage) -> str:
    return await one_try(
        stage, lambda exchange: exchange.send(wire.head() + body(ROLE, *CONTENT, FINISH, DONE))
    )


@case("stream.framing", "a byte a packet")
async def a_byte_a_packet(stage: Stage) -> str:
    response = wire.head() + body(ROLE, *CONTENT, FINISH, DONE)
    return await one_try(stage, lambda exchange: exchange.send(*each_byte(response)))


@case("stream.framing", "a character over three chunks")
async def a_character_over_three_chunks(stage: Stage) -> str:
    stream = b"".join(completion(REPLY))
    at = stream.index("漢".encode())
    return await one_stream(
        stage, stream[: at + 1], stream[at + 1 : at + 2], stream[at + 2 : at + 3], stream[at + 3 :]
    )


@case("stream.framing", "cut between name, colon, space, value and line ends")
async def cut_within_lines(stage: Stage) -> str:
    pieces = [
        piece
        for whole in completion(REPLY)
        for piece in re.split(rb"(?<=^data)|(?<=^data:)|(?<=^data: )|(?=\n)", whole)
    ]
    return await one_stream(stage, *pieces)


@case("stream.framing", "1 MiB in one event")
async def a_large_event(stage: Stage) -> str:
    reply = fenced(f"{PASSING}# {'x' * LONG}\n")
    return await one_stream(stage, *completion(reply, pieces=1), reply=reply)


@case("stream.framing", "10,000 events")
async def many_events(stage: Stage) -> str:
    reply = fenced(f"{PASSING}# {'x' * 10_000}\n")
    events = completion(reply, pieces=len(reply))
    packets = (b"".join(events[at : at + 100]) for at in range(0, len(events), 100))
    return await one_stream(stage, *packets, reply=reply)


# Comments


@case("stream.comments", "before the first event")
async def comments_before(stage: Stage) -> str:
    return await one_stream(stage, *[b": PROCESSING\n\n"] * 3, ROLE, *CONTENT, FINISH, DONE)


@case("stream.comments", "between events")
async def comments_between(stage: Stage) -> str:
    events = (piece for whole in completion(REPLY) for piece in (whole, b": keep-alive\n\n", b":\n\n"))
    return await one_stream(stage, *events)


@case("stream.comments", "within events")
async def comments_within(stage: Stage) -> str:
    return await one_stream(
        stage, *(b": before\n" + whole[:-1] + b": after\n\n" for whole in completion(REPLY))
    )


@case("stream.comments", "1 MiB")
async def a_long_comment(stage: Stage) -> str:
    return await one_stream(stage, ROLE, b":" + b"x" * LONG + b"\n", *CONTENT, FINISH, DONE)
