"""Transport: connections that fail, and those that are used again."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from agentdyno.conformance import wire
from agentdyno.conformance.assertions import EARLY_S, given_up, is_noted, noting, once, recovered, tell
from agentdyno.conformance.case import Play, case
from agentdyno.conformance.cases.transport_tries import CONTENT, after, close, reset
from agentdyno.conformance.endpoint import Answer, Exchange
from agentdyno.conformance.invariants import Observation
from agentdyno.conformance.rules import require
from agentdyno.conformance.running import Running
from agentdyno.conformance.stage import FAILING, Stage, passing
from agentdyno.conformance.wire import closed_port, full_port

BROKEN_OFF: Mapping[str, Answer] = {
    "reset before the head": reset,
    "closed before the head": close,
    "closed in the head": after(b"HTTP/1.1 200 OK\r\nContent-Ty", then=close),
    "reset in the stream": after(wire.head(), CONTENT, then=reset),
    "closed in the stream": after(wire.head(), CONTENT, then=close),
    "closed in a chunk": after(wire.head(), CONTENT, b'100\r\ndata: {"choi', then=close),
    "closed before its Content-Length": after(wire.head(content_length=4096), b"data: {}\n\n", then=close),
    "closed without a finish_reason": after(
        wire.head(connection="close"), wire.event(wire.delta(content="some ")), then=close
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


case("transport.connection", "a kept connection reset under a request")(_kept_connection(reset))
case("transport.connection", "a kept connection closed under a request")(_kept_connection(close))


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

case("transport.reuse", "closed between two requests")(_left_behind(breaks=close))
case("transport.reuse", "reset between two requests")(_left_behind(breaks=reset))
case("transport.reuse", "408 on the idle connection, then closed")(
    _left_behind(wire.json_error(408, connection="close"), breaks=close)
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
