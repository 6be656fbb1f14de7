"""The contract's vectors of messages and streams, played on the wire."""

import hashlib
import sys
from collections.abc import Sequence
from typing import Any

from agentdyno.conformance.case import case
from agentdyno.conformance.cases.vectors_files import AGENTS, Vector, all_right, content, difference, vectors
from agentdyno.conformance.endpoint import Exchange
from agentdyno.conformance.invariants import Observation
from agentdyno.conformance.stage import Stage

CUTS = 5
"""A stream is cut in two at the ends of that many parts, the last excepted."""

WHOLE, BYTE_BY_BYTE = "whole", "byte by byte"


@case("messages.vectors", "first requests")
async def messages_of_first_requests(stage: Stage) -> str:
    return await messages(stage, [vector for vector in vectors("messages.json") if not vector["turns"]])


@case("messages.vectors", "later requests")
async def messages_of_later_requests(stage: Stage) -> str:
    return await messages(stage, [vector for vector in vectors("messages.json") if vector["turns"]])


async def messages(stage: Stage, known: list[Vector]) -> str:
    """Each vector's turns are replayed in a run of its own; the verifier prints what the turn says."""
    script, output = stage.folder / "turn.sh", stage.folder / "output"
    wrong = []
    for vector in known:
        turns = vector["turns"]

        async def answer(exchange: Exchange, turns: list[Vector] = turns) -> None:
            if exchange.request.attempt > len(turns):
                await exchange.reply("That is all.")
                return
            turn = turns[exchange.request.attempt - 1]
            output.write_text(turn.get("output", ""))
            script.write_text("exec sleep 60" if turn["then"] == "timed_out" else f"cat {output}; exit 1")
            await exchange.reply(turn["reply"])

        def model(document: dict[str, Any], name: str = vector["model"]) -> None:
            document["model"] = name

        observed = await stage.run(
            answer,
            tasks=[{"entry_point": "f", **vector["task"]}],
            max_retries=len(turns),
            request=vector["request"],
            prompts={"version": 1, **vector["prompts"]},
            verify={
                "argv": ["/bin/sh", str(script)],
                "timeout_s": 1 if any(turn["then"] == "timed_out" for turn in turns) else 10,
            },
            change=model,
        )
        if len(observed.requests) != len(turns) + 1:
            wrong.append(f"{vector['name']}: {len(observed.requests)} requests, expected {len(turns) + 1}")
        elif observed.requests[-1].body != vector["body"].encode():
            found = observed.requests[-1].body.decode("utf-8", "replace")
            wrong.append(f"{vector['name']}: {difference(found, vector['body'])}")
    return all_right(wrong, len(known))


@case("stream.vectors", "whole")
async def streams_sent_whole(stage: Stage) -> str:
    return await streams(stage, [WHOLE])


@case("stream.vectors", "cut in two")
async def streams_cut_in_two(stage: Stage) -> str:
    return await streams(stage, [f"cut at {part} of {CUTS} parts" for part in range(1, CUTS)])


@case("stream.vectors", "byte by byte")
async def streams_sent_byte_by_byte(stage: Stage) -> str:
    return await streams(stage, [BYTE_BY_BYTE])


def pieces(stream: bytes, way: str) -> list[bytes]:
    """A stream as it is sent in that way; no piece is empty, as an empty chunk ends a body."""
    if way == BYTE_BY_BYTE:
        return [stream[at : at + 1] for at in range(len(stream))]
    cut = 0 if way == WHOLE else len(stream) * int(way.split()[2]) // CUTS
    return [piece for piece in (stream[:cut], stream[cut:]) if piece]


async def streams(stage: Stage, ways: Sequence[str]) -> str:
    """A stream that is no completion is tried again, and gets an ordinary one then."""
    known = {f"{vector['name']}, {way}": (vector, way) for vector in vectors("sse.json") for way in ways}

    async def answer(exchange: Exchange) -> None:
        if exchange.request.number > 1:
            await exchange.reply("second try")
            return
        vector, way = known[exchange.request.task]
        await exchange.stream(*pieces(content(vector, "stream"), way))

    observed = await stage.run(
        answer,
        tasks=list(known),
        agents=AGENTS,
        max_retries=0,
        transport={"max_retries": 1, "base_s": 0},
        verify={"argv": [sys.executable, "-I", "-c", ""]},
    )
    wrong = [
        f"{name}: {problem}"
        for name, (vector, _) in known.items()
        if (problem := _not_as_expected(observed, name, vector["completion"]))
    ]
    return all_right(wrong, len(known), "streams") + f" of {len(known) // len(ways)} vectors"


def _not_as_expected(observed: Observation, name: str, completion: Vector) -> str:
    """What is wrong with the attempt that got this stream, if anything."""
    attempt = observed.attempt(1, name)
    failed = completion["error"] is not None
    tries = len(observed.of(name))
    if tries != 1 + failed:
        return f"{tries} tries, expected {1 + failed} (error {completion['error']})"
    text = "second try" if failed else completion["text"]
    if attempt.completion_sha256 != hashlib.sha256(text.encode()).hexdigest():
        return f"completion_sha256 is not that of {text!r}"
    if attempt.usage != completion["usage"]:
        return f"usage {attempt.usage}, expected {completion['usage']}"
    return ""
