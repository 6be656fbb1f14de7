"""Transport: what is tried again, how often, and what each try is made of."""

import hashlib
from collections.abc import Mapping

from agentdyno.conformance import wire
from agentdyno.conformance.assertions import given_up, once, recovered
from agentdyno.conformance.case import case
from agentdyno.conformance.endpoint import Answer, Exchange
from agentdyno.conformance.rules import require
from agentdyno.conformance.stage import FAILING, KEY, PASSING, Stage, passing

CONTENT = wire.chunked(wire.event(wire.delta(content="some ")))

TRIED_AGAIN = (408, 429, 500, 502, 503, 504, 529, 599)

FINAL: Mapping[str, bytes] = {
    **{str(status): wire.json_error(status, retry_after=0) for status in (400, 403, 404, 409, 413, 422, 451)},
    "401": wire.json_error(401, f"Incorrect API key provided: {KEY}.\nAnother line."),
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "302": wire.json_error(302, location="/v1/elsewhere"),
    "307": wire.json_error(307, location="/v1/elsewhere"),
}


@case("transport.statuses", "each status")
async def each_status(stage: Stage) -> str:
    async def answer(exchange: Exchange) -> None:
        if exchange.request.number == 1:
            await exchange.send(wire.json_error(int(exchange.request.task)))
        else:
            await passing(exchange)

    observed = await stage.run(answer, tasks=[str(status) for status in TRIED_AGAIN], agents=len(TRIED_AGAIN))
    for status in TRIED_AGAIN:
        recovered(observed, str(status))
    return f"{', '.join(map(str, TRIED_AGAIN))}: 2 requests each"


@case("transport.statuses", "500 with a whole completion as its body")
async def completion_under_500(stage: Stage) -> str:
    async def answer(exchange: Exchange) -> None:
        events = wire.completion(wire.fenced(FAILING))
        await exchange.send(wire.head(500), *map(wire.chunked, events), wire.LAST_CHUNK)

    observed = await stage.run(once(answer), max_retries=0)
    recovered(observed)
    return "tried again"


@case("transport.statuses", "503 with a body that does not end")
async def endless_refusal(stage: Stage) -> str:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(wire.head(503, "text/plain", content_length=100), b"Wait, ")
        await exchange.silence()

    observed = await stage.run(once(answer), timeouts={"event_idle_s": 0.4, "total_s": 5})
    recovered(observed)
    return "tried again"


@case("transport.final", "each status")
async def final_statuses(stage: Stage) -> str:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(FINAL.get(exchange.request.task, b""))

    observed = await stage.run(answer, tasks=[*FINAL], agents=len(FINAL))
    for status in FINAL:
        given_up(observed, 1, status)
    require(observed.status == 0, f"expected exit 0; {observed.ending}")
    others = [request.line for request in observed.requests if request.task not in FINAL]
    require(not others, f"a redirection was followed: {others[:1]}")
    return f"{', '.join(FINAL)}: 1 request each"


async def reset(exchange: Exchange) -> None:
    exchange.reset()


async def close(exchange: Exchange) -> None:
    exchange.close()


async def _keep(exchange: Exchange) -> None:
    """A connection closed after a whole response could be used again just before that is seen."""


def after(*pieces: bytes, then: Answer) -> Answer:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(*pieces)
        await then(exchange)

    return answer


@case("transport.fresh", "partial text is dropped")
async def partial_text(stage: Stage) -> str:
    cut = wire.event(wire.delta(content="é"))
    partial = [
        wire.head(),
        *map(wire.chunked, wire.completion(wire.fenced(FAILING))[:-2]),
        wire.chunked(wire.event({"choices": [], "usage": {"total_tokens": 7}})),
        wire.chunked(cut[: cut.index("é".encode()) + 1]),
    ]
    scenes: dict[str, Answer] = {
        "closed": after(*partial, then=close),
        "reset": after(*partial, then=reset),
        "error object": after(
            *partial[:-1], wire.chunked(wire.event({"error": {"message": "overloaded"}})), then=close
        ),
        "malformed": after(*partial[:-1], wire.chunked(wire.event("{")), then=close),
    }

    async def answer(exchange: Exchange) -> None:
        if exchange.request.number == 1:
            await scenes[exchange.request.task](exchange)
        else:
            await passing(exchange)

    observed = await stage.run(answer, tasks=[*scenes], agents=len(scenes))
    expected = hashlib.sha256(wire.fenced(PASSING).encode()).hexdigest()
    for scene in scenes:
        recovered(observed, scene)
        attempt, second = observed.attempt(task=scene), observed.of(scene)[1]
        require(
            attempt.completion_sha256 == expected, f"after {scene}: the completion is not the second reply"
        )
        require(attempt.usage is None, f"after {scene}: usage {attempt.usage} of the try that failed")
        assert second.t_answer is not None
        require(
            attempt.t_first is not None and attempt.t_first >= second.t_answer,
            f"after {scene}: t_first is not the second reply's",
        )
    return f"nothing left of it after: {', '.join(scenes)}"


@case("transport.fresh", "every try is the same request")
async def same_request(stage: Stage) -> str:
    tries: list[Answer] = [
        after(wire.json_error(503), then=_keep),
        reset,
        after(wire.json_error(429), then=_keep),
        after(wire.head(), CONTENT, wire.LAST_CHUNK, then=_keep),
        passing,
    ]

    async def answer(exchange: Exchange) -> None:
        await tries[exchange.request.number - 1](exchange)

    observed = await stage.run(answer, transport={"max_retries": 4}, request={"temperature": 0.5})
    recovered(observed, tries=5)
    first, *others = observed.requests
    for number, request in enumerate(others, start=2):
        require(request.body == first.body, f"try {number}: another body than the first")
        require(request.line == first.line, f"try {number}: {request.line!r}, the first {first.line!r}")
        for name in ("content-type", "authorization"):
            found, expected = request.header(name), first.header(name)
            require(found == expected, f"try {number}: another {name} header than the first")
    return "5 tries, equal byte for byte"


@case("transport.bound", "every kind of failure counts")
async def every_kind_counts(stage: Stage) -> str:
    tries: list[Answer] = [
        after(wire.json_error(503), then=_keep),
        reset,
        after(wire.head(), CONTENT, then=close),
        after(
            wire.head(), wire.chunked(wire.event({"error": {"message": "first line\nsecond"}})), then=close
        ),
    ]

    async def answer(exchange: Exchange) -> None:
        if exchange.request.task == "task/1":
            await tries[(exchange.request.number - 1) % 4](exchange)
        else:
            await passing(exchange)

    observed = await stage.run(answer, tasks=("task/1", "task/2"), transport={"max_retries": 3})
    outcome = given_up(observed, 4)
    retries = observed.attempt().transport_retries
    require(retries == 3, f"transport_retries {retries}, expected 3")
    require(observed.outcome("task/2").outcome == "passed", f"the next task: {observed.outcome('task/2')}")
    require(observed.status == 0, f"expected exit 0; {observed.ending}")
    return f"4 requests, reason {outcome.reason!r}, and the next task went on"


@case("transport.bound", "no retries")
async def no_retries(stage: Stage) -> str:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(wire.json_error(500))

    observed = await stage.run(answer, transport={"max_retries": 0})
    given_up(observed, 1)
    return "1 request"


@case("transport.bound", "every completion has its own")
async def each_completion(stage: Stage) -> str:
    async def answer(exchange: Exchange) -> None:
        if exchange.request.number <= 2:
            await exchange.send(wire.json_error(500))
        else:
            await exchange.code(PASSING if exchange.request.attempt == 3 else FAILING)

    observed = await stage.run(answer, transport={"max_retries": 2})
    for attempt in (1, 2, 3):
        recovered(observed, tries=3, attempt=attempt, verdict="passed" if attempt == 3 else "failed")
    return "3 completions of 3 tries each"
