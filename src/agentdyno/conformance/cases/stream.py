"""Streams: every shape in which endpoints are known to send a completion, and those that are none."""

import gzip
import hashlib
import re
import time
from collections.abc import Iterable

from agentdyno.conformance import wire
from agentdyno.conformance.case import case
from agentdyno.conformance.endpoint import Answer, Exchange
from agentdyno.conformance.observation import Observation
from agentdyno.conformance.stage import PASSING, Stage
from agentdyno.conformance.violation import NotPossible, require
from agentdyno.conformance.wire import chunked, completion, delta, event, fenced

REPLY = fenced(f"{PASSING}# grüß 漢字 😀\n")
USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
OVERLOADED = {"error": {"message": "overloaded", "code": 503}}

ROLE, *CONTENT, FINISH, DONE = completion(REPLY)
"""The events of an ordinary completion."""

WAITED_S = 3.0
"""A generous bound for the 1 s that is waited for what follows a finish_reason."""

LONG = 2**20


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


def line_ends(line_end: bytes) -> list[bytes]:
    """The events of an ordinary completion with other line ends; those of the reply are escaped."""
    return [piece.replace(b"\n", line_end) for piece in completion(REPLY)]


def each_byte(data: bytes) -> list[bytes]:
    """The bytes, apart."""
    return [data[at : at + 1] for at in range(len(data))]


def body(*events: bytes) -> bytes:
    """A chunked body, whole."""
    return b"".join(map(chunked, events)) + wire.LAST_CHUNK


def head(*lines: str) -> bytes:
    """A response head, spelled as it is to be."""
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


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


# Chunks of completions


def with_choices(*choices: dict[str, object], **fields: object) -> bytes:
    """A chunk with these choices and further fields."""
    return event({**delta(), "choices": list(choices), **fields})


def contents(**fields: object) -> Iterable[bytes]:
    """The content, with further fields in each delta."""
    half = len(REPLY) // 2
    for part in (REPLY[:half], REPLY[half:]):
        yield event(delta(content=part, **fields))


@case("stream.chunks", "role only")
async def role_only(stage: Stage) -> str:
    return await one_stream(stage, event(delta(role="assistant")), *CONTENT, FINISH, DONE)


@case("stream.chunks", "null content")
async def null_content(stage: Stage) -> str:
    null = event(delta(role="assistant", content=None))
    return await one_stream(
        stage, null, CONTENT[0], null, *CONTENT[1:], event(delta("stop", content=None)), DONE
    )


@case("stream.chunks", "empty choices first")
async def empty_choices_first(stage: Stage) -> str:
    return await one_stream(
        stage, with_choices(prompt_filter_results=[{"prompt_index": 0}]), ROLE, *CONTENT, FINISH, DONE
    )


@case("stream.chunks", "empty choices between")
async def empty_choices_between(stage: Stage) -> str:
    return await one_stream(stage, ROLE, CONTENT[0], with_choices(), *CONTENT[1:], FINISH, DONE)


@case("stream.chunks", "empty choices last")
async def empty_choices_last(stage: Stage) -> str:
    return await one_stream(stage, ROLE, *CONTENT, FINISH, with_choices(), DONE)


@case("stream.chunks", "no choices")
async def no_choices(stage: Stage) -> str:
    return await one_stream(
        stage,
        event({"object": "ping"}),
        ROLE,
        *CONTENT,
        event({"choices": None}),
        event({}),
        FINISH,
        DONE,
    )


@case("stream.chunks", "usage last")
async def usage_last(stage: Stage) -> str:
    return await one_stream(stage, ROLE, *CONTENT, FINISH, with_choices(usage=USAGE), DONE, usage=USAGE)


@case("stream.chunks", "usage in every chunk")
async def usage_in_every_chunk(stage: Stage) -> str:
    growing = (
        event({**delta(content=letter), "usage": {**USAGE, "completion_tokens": number}})
        for number, letter in enumerate(REPLY)
    )
    last = event({**delta("stop"), "usage": USAGE})
    return await one_stream(stage, ROLE, *growing, last, DONE, usage=USAGE)


@case("stream.chunks", "null usage")
async def null_usage(stage: Stage) -> str:
    first = event({**delta(role="assistant"), "usage": None})
    last = with_choices(usage=None)
    return await one_stream(
        stage, first, *CONTENT, FINISH, with_choices(usage=USAGE), last, DONE, usage=USAGE
    )


@case("stream.chunks", "empty finish_reason")
async def empty_finish_reason(stage: Stage) -> str:
    half = len(REPLY) // 2
    parts = (event(delta("", content=part)) for part in (REPLY[:half], "", REPLY[half:]))
    return await one_stream(stage, *parts, FINISH, DONE)


@case("stream.chunks", "finish_reason length")
async def finish_reason_length(stage: Stage) -> str:
    return await one_stream(stage, *completion(REPLY, finish_reason="length"))


@case("stream.chunks", "unheard-of finish_reason")
async def unheard_of_finish_reason(stage: Stage) -> str:
    return await one_stream(stage, *completion(REPLY, finish_reason="eos_token"))


@case("stream.chunks", "finish_reason with content")
async def finish_reason_with_content(stage: Stage) -> str:
    return await one_stream(stage, ROLE, event(delta("stop", content=REPLY)), DONE)


@case("stream.chunks", "reasoning")
async def reasoning(stage: Stage) -> str:
    thought = fenced("raise SystemExit('only thought')\n" * 9)
    return await one_stream(
        stage,
        event(delta(reasoning_content=thought)),
        event(delta(reasoning=thought, reasoning_details=[{"text": thought}], content="")),
        *contents(reasoning_content=None, reasoning=thought),
        FINISH,
        DONE,
    )


@case("stream.chunks", "tool calls")
async def tool_calls(stage: Stage) -> str:
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{"}}
    return await one_stream(
        stage, ROLE, *contents(tool_calls=[call]), event(delta(tool_calls=[call])), FINISH, DONE
    )


@case("stream.chunks", "unknown fields")
async def unknown_fields(stage: Stage) -> str:
    first, *others = contents(annotations=[], audio={"id": None}, refusal=None)
    beside: dict[str, object] = {"index": 1, "delta": {"content": "another's"}, "finish_reason": "stop"}
    return await one_stream(
        stage,
        event({**delta(role="assistant"), "system_fingerprint": None, "x": [{"y": [1e3, -0.5, True]}]}),
        first,
        with_choices({"index": 0, "delta": {}, "logprobs": {"content": []}}, beside),
        *others,
        event({"choices": [{"index": 0, "finish_reason": "stop", "matched_stop": 2}], "timings": {}}),
        DONE,
    )


# The end of a completion


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


@case("stream.finish", "usage 0.3 s after the finish_reason")
async def late_usage(stage: Stage) -> str:
    finished: list[float] = []

    async def answer(exchange: Exchange) -> None:
        await exchange.send(wire.head(), *map(chunked, [ROLE, *CONTENT, FINISH]))
        finished.append(time.monotonic())
        await exchange.pause(0.3)
        await exchange.send(body(with_choices(usage=USAGE), DONE))
        finished.append(time.monotonic())

    observed = await stage.run(answer, transport={"max_retries": 0})
    if len(finished) == 2 and (late_s := finished[1] - finished[0]) > 0.8:
        raise NotPossible(f"this machine took {late_s:.2f} s for what was due after 0.3 s")
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


# Errors


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


# HTTP


STREAM = b"".join([ROLE, *CONTENT, FINISH, DONE])


@case("stream.http", "Content-Length")
async def content_length(stage: Stage) -> str:
    return await one_try(
        stage,
        lambda exchange: exchange.send(wire.head(content_length=len(STREAM)), ROLE, STREAM[len(ROLE) :]),
    )


@case("stream.http", "Connection: close")
async def connection_close(stage: Stage) -> str:
    return await one_response(stage, wire.head(connection="close"), ROLE, *CONTENT, FINISH, DONE)


@case("stream.http", "neither length nor chunks")
async def neither_length_nor_chunks(stage: Stage) -> str:
    return await one_response(
        stage, head("HTTP/1.1 200 OK", "Content-Type: text/event-stream"), ROLE, *CONTENT, FINISH
    )


@case("stream.http", "HTTP/1.0")
async def http_1_0(stage: Stage) -> str:
    return await one_response(
        stage, head("HTTP/1.0 200 OK", "Content-Type: text/event-stream"), ROLE, *CONTENT, FINISH, DONE
    )


@case("stream.http", "100 Continue")
async def interim_continue(stage: Stage) -> str:
    response = wire.head() + body(STREAM)
    return await one_try(stage, lambda exchange: exchange.send(head("HTTP/1.1 100 Continue"), response))


@case("stream.http", "103 Early Hints, twice")
async def early_hints(stage: Stage) -> str:
    hints = head("HTTP/1.1 103 Early Hints", "Link: </style.css>; rel=preload", "Content-Type: text/html")
    response = wire.head() + body(STREAM)
    return await one_try(stage, lambda exchange: exchange.send(hints + hints, response))


@case("stream.http", "trailers")
async def trailers(stage: Stage) -> str:
    end = head("0", "X-Request-Cost: 1", "Content-Type: text/html")
    return await one_try(
        stage, lambda exchange: exchange.send(wire.head(trailer="X-Request-Cost"), chunked(STREAM), end)
    )


@case("stream.http", "chunk extensions")
async def chunk_extensions(stage: Stage) -> str:
    pieces = (b'%x;name=value;other="a b"\r\n%b\r\n' % (len(piece), piece) for piece in completion(REPLY))
    return await one_try(stage, lambda exchange: exchange.send(wire.head(), *pieces, b"0;end\r\n\r\n"))


@case("stream.http", "chunk sizes in capitals, with zeros before them")
async def chunk_sizes(stage: Stage) -> str:
    pieces = (b"%06X\r\n%b\r\n" % (len(piece), piece) for piece in completion(REPLY))
    return await one_try(stage, lambda exchange: exchange.send(wire.head(), *pieces, b"000\r\n\r\n"))


@case("stream.http", "a byte a chunk, in one packet")
async def a_byte_a_chunk(stage: Stage) -> str:
    return await one_try(stage, lambda exchange: exchange.send(wire.head() + body(*each_byte(STREAM))))


@case("stream.http", "header names in lower case")
async def lower_case(stage: Stage) -> str:
    lower = head("HTTP/1.1 200 OK", "content-type: text/event-stream", "transfer-encoding: chunked")
    return await one_try(stage, lambda exchange: exchange.send(lower + body(STREAM)))


@case("stream.http", "header names in capitals")
async def capitals(stage: Stage) -> str:
    upper = head("HTTP/1.1 200 OK", "CONTENT-TYPE: Text/Event-Stream", "TRANSFER-ENCODING: Chunked")
    return await one_try(stage, lambda exchange: exchange.send(upper + body(STREAM)))


@case("stream.http", "Content-Type with a parameter")
async def content_type_with_a_parameter(stage: Stage) -> str:
    typed = wire.head(content_type="text/event-stream; charset=utf-8")
    return await one_try(stage, lambda exchange: exchange.send(typed + body(STREAM)))


@case("stream.http", "space around values and no reason")
async def space_around_values(stage: Stage) -> str:
    spaced = head("HTTP/1.1 200 ", "Content-Type:text/event-stream \t", "Transfer-Encoding: \t chunked", "X:")
    return await one_try(stage, lambda exchange: exchange.send(spaced + body(STREAM)))


@case("stream.http", "a header of 8,000 bytes")
async def a_long_header(stage: Stage) -> str:
    return await one_try(stage, lambda exchange: exchange.send(wire.head(x_long="x" * 8000) + body(STREAM)))


@case("stream.http", "identity as Content-Encoding")
async def identity(stage: Stage) -> str:
    return await one_try(
        stage, lambda exchange: exchange.send(wire.head(content_encoding="identity") + body(STREAM))
    )


@case("stream.http", "one way after the other")
async def one_way_after_the_other(stage: Stage) -> str:
    """Whatever is left of one response on a connection must not be taken for the next one's."""
    ways = [
        wire.head() + body(STREAM),
        wire.head(content_length=len(STREAM)) + STREAM,
        head("HTTP/1.1 100 Continue") + wire.head(content_length=len(STREAM)) + STREAM,
        wire.head() + chunked(STREAM) + head("0", "X-Trailer: x"),
    ] * 3
    tasks = [f"task/{number}" for number in range(len(ways))]
    observed = await stage.run(
        lambda exchange: exchange.send(ways[tasks.index(exchange.request.task)]),
        tasks=tasks,
        transport={"max_retries": 0},
    )
    for name in tasks:
        outcome = observed.outcome(name)
        require(
            outcome.outcome == "passed", f"{name}: {outcome.outcome}, {outcome.reason}; {observed.ending}"
        )
    return f"{len(ways)} completions on {observed.connections} connections"
