"""Transport: what is tried again, what is not, and what each try is made of."""

import asyncio
import hashlib
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from agentdyno.conformance import wire
from agentdyno.conformance.assertions import EARLY_S, given_up, once, recovered
from agentdyno.conformance.case import Play, case
from agentdyno.conformance.endpoint import Answer, Exchange
from agentdyno.conformance.notes import is_noted, noting, tell
from agentdyno.conformance.observation import Observation
from agentdyno.conformance.running import Running
from agentdyno.conformance.sockets import closed_port, full_port
from agentdyno.conformance.stage import FAILING, KEY, PASSING, Stage, passing
from agentdyno.conformance.violation import require

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


async def _reset(exchange: Exchange) -> None:
    exchange.reset()


async def _close(exchange: Exchange) -> None:
    exchange.close()


async def _keep(exchange: Exchange) -> None:
    """A connection closed after a whole response could be used again just before that is seen."""


def _after(*pieces: bytes, then: Answer) -> Answer:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(*pieces)
        await then(exchange)

    return answer


BROKEN_OFF: Mapping[str, Answer] = {
    "reset before the head": _reset,
    "closed before the head": _close,
    "closed in the head": _after(b"HTTP/1.1 200 OK\r\nContent-Ty", then=_close),
    "reset in the stream": _after(wire.head(), CONTENT, then=_reset),
    "closed in the stream": _after(wire.head(), CONTENT, then=_close),
    "closed in a chunk": _after(wire.head(), CONTENT, b'100\r\ndata: {"choi', then=_close),
    "closed before its Content-Length": _after(wire.head(content_length=4096), b"data: {}\n\n", then=_close),
    "closed without a finish_reason": _after(
        wire.head(connection="close"), wire.event(wire.delta(content="some ")), then=_close
    ),
}


def _tried_again(broken_off: Answer) -> Play:
    async def play(stage: Stage) -> str:
        observed = await stage.run(once(broken_off))
        recovered(observed)
        return "2 requests, passed"

    return play


for _name, _broken_off in BROKEN_OFF.items():
    case("transport.connection", _name)(_tried_again(_broken_off))


@case("transport.connection", "reset as soon as it is made")
async def reset_at_once(stage: Stage) -> str:
    observed = await stage.run(accept=lambda number: number > 2)
    retries = observed.attempt().transport_retries
    require(
        retries == 2, f"transport_retries {retries} after 2 connections that were reset; {observed.ending}"
    )
    require(observed.outcome().outcome == "passed", f"outcome {observed.outcome()}")
    return "third connection served, 2 retries"


@case("transport.connection", "refused")
async def refused(stage: Stage) -> str:
    with closed_port() as (_, url):
        observed = await stage.run(
            tasks=("task/1", "task/2"),
            transport={"max_retries": 2},
            change=lambda document: document.update(base_url=url),
        )
    return _never_connected(observed, "task/1", 2) + "; " + _never_connected(observed, "task/2", 2)


@case("transport.connection", "refused at first")
async def refused_at_first(stage: Stage) -> str:
    with closed_port() as (port, url):

        async def open_port(running: Running) -> None:
            await running.until(running.events, "run_start")
            await asyncio.sleep(0.2)  # enough for some tries; how many does not matter
            async with _forwarding(port, running.endpoint.base_url):
                await running.until(lambda: len(running.events()) > 2, "the task's outcome")

        observed = await stage.run(
            transport={"max_retries": 500, "base_s": 0.02, "cap_s": 0.04},
            change=lambda document: document.update(base_url=url),
            act=open_port,
        )
    require(observed.outcome().outcome == "passed", f"{observed.outcome()}; {observed.ending}")
    return f"passed after {observed.attempt().transport_retries} tries that were refused"


@case("transport.connection", "no answer to the connection")
async def connect_timeout(stage: Stage) -> str:
    with full_port() as url:
        observed = await stage.run(
            timeouts={"connect_s": 0.3, "total_s": 5},
            transport={"max_retries": 1},
            change=lambda document: document.update(base_url=url),
        )
    attempt = observed.attempt()
    spent_s = (attempt.t_end - attempt.t_begin) / 1e9
    require(spent_s >= 0.6 - EARLY_S, f"2 tries with connect_s 0.3 took {spent_s:.2f} s")
    return _never_connected(observed, "task/1", 1)


def _never_connected(observed: Observation, task: str, retries: int) -> str:
    outcome, attempt = given_up(observed, 0, task), observed.attempt(task=task)
    found = attempt.transport_retries
    require(found == retries, f"transport_retries {found} of {task}, expected {retries}")
    require(attempt.t_request is None, "t_request is not null, and nothing was sent")
    return f"{retries} retries, reason {outcome.reason!r}"


def _kept_connection(breaks: Answer) -> Play:
    """The endpoint takes the second request on a connection and breaks it off before a byte of the answer.

    Client libraries are known to send the request again by themselves then, and say nothing.
    """

    async def play(stage: Stage) -> str:
        async def answer(exchange: Exchange) -> None:
            if exchange.request.attempt == 1:
                await exchange.code(FAILING)
            elif exchange.request.number == 1:
                await breaks(exchange)
            else:
                await passing(exchange)

        observed = await stage.run(answer)
        recovered(observed, attempt=2)
        same = observed.requests[0].connection == observed.requests[1].connection
        return f"2 requests, 1 retry, on {'the same' if same else 'another'} connection"

    return play


case("transport.connection", "a kept connection reset under a request")(_kept_connection(_reset))
case("transport.connection", "a kept connection closed under a request")(_kept_connection(_close))


@asynccontextmanager
async def _forwarding(port: socket.socket, base_url: str) -> AsyncIterator[None]:
    """Listen on a port that is bound already, and pass everything on to the endpoint."""
    url = urlsplit(base_url)

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_connection(url.hostname, url.port)
        await asyncio.gather(carry(reader, to_writer), carry(to_reader, writer))

    server = await asyncio.start_server(forward, sock=port.dup())
    try:
        yield
    finally:
        server.close()


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
        "closed": _after(*partial, then=_close),
        "reset": _after(*partial, then=_reset),
        "error object": _after(
            *partial[:-1], wire.chunked(wire.event({"error": {"message": "overloaded"}})), then=_close
        ),
        "malformed": _after(*partial[:-1], wire.chunked(wire.event("{")), then=_close),
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
        _after(wire.json_error(503), then=_keep),
        _reset,
        _after(wire.json_error(429), then=_keep),
        _after(wire.head(), CONTENT, wire.LAST_CHUNK, then=_keep),
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
        _after(wire.json_error(503), then=_keep),
        _reset,
        _after(wire.head(), CONTENT, then=_close),
        _after(
            wire.head(), wire.chunked(wire.event({"error": {"message": "first line\nsecond"}})), then=_close
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


FAILING_LATER = f"note('begun', 0)\nwait_for('go')\n{FAILING}"


def _left_behind(*pieces: bytes, breaks: Answer | None = None) -> Play:
    """While the answer is verified, the endpoint does something to the connection."""

    async def play(stage: Stage) -> str:
        body = b"".join(wire.completion(wire.fenced(noting(stage, FAILING_LATER))))

        async def answer(exchange: Exchange) -> None:
            if exchange.request.attempt > 1:
                await passing(exchange)
                return
            await exchange.send(wire.head(content_length=len(body)) + body)
            try:
                while not is_noted(stage, "begun"):
                    await exchange.pause(0.005)
                await exchange.send(*pieces)
                if breaks is not None:
                    await breaks(exchange)
                    await exchange.closed()
            finally:  # a runtime may have closed the connection itself
                tell(stage, "go")

        observed = await stage.run(answer, verify={"timeout_s": 20})
        recovered(observed, tries=1, verdict="failed")
        recovered(observed, tries=1, attempt=2)
        first, second = observed.requests
        require(second.connection != first.connection, "the next request came on the same connection")
        return "the next request came on another connection, and no try was lost"

    return play


OTHER = b"".join(wire.completion(wire.fenced(FAILING)))

case("transport.reuse", "closed between two requests")(_left_behind(breaks=_close))
case("transport.reuse", "reset between two requests")(_left_behind(breaks=_reset))
case("transport.reuse", "408 on the idle connection, then closed")(
    _left_behind(wire.json_error(408, connection="close"), breaks=_close)
)
case("transport.reuse", "rubbish on the idle connection")(_left_behind(b"rubbish\r\n\r\n"))
case("transport.reuse", "a second response on the idle connection")(
    _left_behind(wire.head(content_length=len(OTHER)) + OTHER)
)


@case("transport.reuse", "a body longer than its Content-Length")
async def too_long(stage: Stage) -> str:
    """The rest of the body is in the packet that ends the response, and looks like another response."""
    body = b"".join(wire.completion(wire.fenced(noting(stage, FAILING_LATER))))

    async def answer(exchange: Exchange) -> None:
        if exchange.request.attempt > 1:
            await passing(exchange)
        else:
            rest = wire.head(content_length=len(OTHER)) + OTHER
            await exchange.send(wire.head(content_length=len(body)) + body + rest)
            tell(stage, "go")

    observed = await stage.run(answer, max_retries=1, verify={"timeout_s": 20})
    recovered(observed, tries=1, verdict="failed")
    recovered(observed, tries=1, attempt=2)
    first, second = observed.requests
    require(second.connection != first.connection, "the next request came on the same connection")
    return "the next request came on another connection, and no try was lost"
