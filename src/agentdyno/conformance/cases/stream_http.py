"""The stream: the HTTP that carries it, and the chunks of a completion in it."""

from collections.abc import Iterable

from agentdyno.conformance import wire
from agentdyno.conformance.case import case
from agentdyno.conformance.cases.stream_finish import (
    CONTENT,
    DONE,
    FINISH,
    REPLY,
    ROLE,
    USAGE,
    body,
    each_byte,
    one_response,
    one_stream,
    one_try,
    with_choices,
)
from agentdyno.conformance.rules import require
from agentdyno.conformance.stage import Stage
from agentdyno.conformance.wire import chunked, completion, delta, event, fenced


def head(*lines: str) -> bytes:
    """A response head, spelled as it is to be."""
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


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


@case("stream.http", "a header of 9,000 bytes")
async def a_long_header(stage: Stage) -> str:
    return await one_try(stage, lambda exchange: exchange.send(wire.head(x_long="x" * 9000) + body(STREAM)))


@case("stream.http", "a header in UTF-8")
async def a_header_in_utf_8(stage: Stage) -> str:
    named = wire.head(x_name="PLACE").replace(b"PLACE", "grüß 漢字 😀".encode())
    return await one_try(stage, lambda exchange: exchange.send(named + body(STREAM)))


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
