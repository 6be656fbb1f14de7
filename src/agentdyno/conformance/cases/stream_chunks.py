"""Streams: the chunks of a completion."""

from collections.abc import Iterable

from agentdyno.conformance.case import case
from agentdyno.conformance.cases.stream import CONTENT, DONE, FINISH, REPLY, ROLE, USAGE, one_stream
from agentdyno.conformance.stage import Stage
from agentdyno.conformance.wire import completion, delta, event, fenced


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
