"""Transport: how long is waited for events, and for a completion in all."""

import time
from collections.abc import Sequence

from agentdyno.conformance import wire
from agentdyno.conformance.assertions import EARLY_S, once, recovered
from agentdyno.conformance.case import Play, case
from agentdyno.conformance.endpoint import RECEIVED_BYTES, Answer, Exchange
from agentdyno.conformance.invariants import Observation
from agentdyno.conformance.rules import NotPossible, require
from agentdyno.conformance.stage import PASSING, Stage, passing, task
from agentdyno.conformance.wire import full_port

CONTENT = wire.chunked(wire.event(wire.delta(content="some ")))
EMPTY = wire.chunked(wire.event({"choices": []}))

IDLE_S = 0.6
EVENT_AFTER_S = 0.2
"""When, after the head, a scene's one event comes, if it has one."""

SLOWNESS_S = 3.0
"""How much later than it should a busy machine may do something."""


def _idle(begin: Sequence[bytes], again: bytes | None, event: bytes | None = None) -> Play:
    """The endpoint begins, perhaps sends one event a while later, then `again` without end, or nothing."""

    async def idle(exchange: Exchange) -> None:
        await exchange.send(*begin)
        if event is not None:
            await exchange.pause(EVENT_AFTER_S)
            late_ns.append(time.monotonic_ns() - exchange.request.t - int(EVENT_AFTER_S * 1e9))
            await exchange.send(event)
        while again is not None:
            await exchange.pause(0.05)
            await exchange.send(again)
        await exchange.silence()

    late_ns: list[int] = []

    async def play(stage: Stage) -> str:
        observed = await stage.run(
            once(idle),
            timeouts={"event_idle_s": IDLE_S, "total_s": SLOWNESS_S},
            transport={"max_retries": 1},
        )
        if any(late > 100_000_000 for late in late_ns):
            raise NotPossible("this machine is so busy that the endpoint itself was late")
        recovered(observed)
        least_s = IDLE_S + (EVENT_AFTER_S if event is not None else 0)
        found_s = observed.attempt().transport_ns / 1e9
        require(
            found_s >= least_s - EARLY_S,
            f"tried again after {found_s:.3f} s, expected {least_s:g} s without an event",
        )
        return f"tried again after {found_s:.2f} s, event_idle_s {IDLE_S:g}"

    return play


case("transport.idle", "nothing at all")(_idle([], None))
case("transport.idle", "a head without end")(_idle([b"HTTP/1.1 200 OK\r\n"], b"X-Filler: 1\r\n"))
case("transport.idle", "nothing after the head")(_idle([wire.head()], None))
case("transport.idle", "nothing after some content")(_idle([wire.head()], None, CONTENT))
case("transport.idle", "comments after some content")(
    _idle([wire.head()], wire.chunked(b": wait\n\n"), CONTENT)
)
case("transport.idle", "events without data")(_idle([wire.head()], wire.chunked(b"event: ping\n\n"), CONTENT))
case("transport.idle", "a line without end")(
    _idle([wire.head(), wire.chunked(b"data: ")], wire.chunked(b"x"))
)


@case("transport.idle", "a slow stream")
async def slow_stream(stage: Stage) -> str:
    """Each event is in time, those without content as well, though all together take longer."""
    events = wire.completion(wire.fenced(PASSING), pieces=1)
    idle_s, pause_s = 1.2, 0.7

    async def answer(exchange: Exchange) -> None:
        await exchange.send(wire.head())
        for event in (events[0], EMPTY, *events[1:]):
            await exchange.pause(pause_s)
            await exchange.send(event if event is EMPTY else wire.chunked(event))
        await exchange.send(wire.LAST_CHUNK)

    observed = await stage.run(answer, timeouts={"event_idle_s": idle_s})
    recovered(observed, tries=1)
    return f"events every {pause_s} s, event_idle_s {idle_s}: one request"


@case("transport.idle", "a request that is read late")
async def request_read_late(stage: Stage) -> str:
    """It has its end after the endpoint has begun to read, because the kernel does not keep all of it."""
    idle_s, late_s = 1.0, 1.6
    large = task("task/1", prompt="x" * (wire.sent_bytes() + RECEIVED_BYTES + 2**20))
    observed = await stage.run(
        tasks=[large], timeouts={"event_idle_s": idle_s}, transport={"max_retries": 0}, read_after_s=late_s
    )
    recovered(observed, tries=1)
    return (
        f"{len(observed.requests[0].body)} bytes, read after {late_s} s, event_idle_s {idle_s:g}: one request"
    )


async def _ended_by_total(
    stage: Stage, answer: Answer, least_s: float, *, total_s: float = 0.6
) -> Observation:
    """A run of one completion that can only be ended by `total_s`, and by it was."""
    observed = await stage.run(
        answer,
        timeouts={"total_s": total_s},
        transport={"max_retries": 10**6, "base_s": 0.05, "cap_s": 0.05},
        within_s=5,
    )
    _took(observed, least_s, total_s)
    return observed


def _took(observed: Observation, least_s: float, total_s: float) -> None:
    outcome, attempt = observed.outcome(), observed.attempt()
    require(outcome.outcome == "error", f"outcome {outcome.outcome} without a completion; {observed.ending}")
    spent_s = (attempt.t_end - attempt.t_begin) / 1e9
    require(
        least_s - EARLY_S <= spent_s <= total_s + SLOWNESS_S,
        f"given up after {spent_s:.2f} s with total_s {total_s:g}: {outcome.reason}",
    )


def _spent(observed: Observation) -> str:
    attempt = observed.attempt()
    return f"{(attempt.t_end - attempt.t_begin) / 1e9:.2f} s"


@case("transport.total", "tries without end")
async def total_of_tries(stage: Stage) -> str:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(wire.json_error(503))

    observed = await _ended_by_total(stage, answer, 0.9, total_s=1)
    require(len(observed.requests) > 1, "given up after one request")
    return f"{len(observed.requests)} requests, given up after {_spent(observed)}, total_s 1"


def _retry_after(asked: str) -> Play:
    async def play(stage: Stage) -> str:
        async def answer(exchange: Exchange) -> None:
            await exchange.send(wire.json_error(503, retry_after=asked))

        observed = await _ended_by_total(stage, answer, 0)
        require(
            len(observed.requests) == 1, f"{len(observed.requests)} requests, and {asked} s were asked for"
        )
        return f"{asked} s asked for, given up after {_spent(observed)}, total_s 0.6"

    return play


case("transport.total", "Retry-After of an hour")(_retry_after("3600"))
case("transport.total", "Retry-After of 24 digits")(_retry_after("9" * 24))


@case("transport.total", "a stream without end")
async def total_of_stream(stage: Stage) -> str:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(wire.head())
        while True:
            await exchange.send(CONTENT)
            await exchange.pause(0.05)

    observed = await _ended_by_total(stage, answer, 0.6)
    return f"given up after {_spent(observed)}, total_s 0.6"


@case("transport.total", "silence")
async def total_of_silence(stage: Stage) -> str:
    observed = await _ended_by_total(stage, Exchange.silence, 0.6)
    return f"given up after {_spent(observed)}, total_s 0.6"


@case("transport.total", "while connecting")
async def total_of_connecting(stage: Stage) -> str:
    with full_port() as url:
        observed = await stage.run(
            timeouts={"connect_s": 20, "total_s": 0.6},
            change=lambda document: document.update(base_url=url),
            within_s=5,
        )
    _took(observed, 0.6, 0.6)
    return f"given up after {_spent(observed)}, total_s 0.6"


@case("transport.total", "not after the finish_reason")
async def total_ends_with_success(stage: Stage) -> str:
    events = [wire.chunked(event) for event in wire.completion(wire.fenced(PASSING))]

    async def answer(exchange: Exchange) -> None:
        await exchange.send(wire.head(), *events[:-2])
        await exchange.pause(1.4)
        await exchange.send(events[-2])  # the finish_reason; the stream stays open past total_s
        await exchange.silence()

    observed = await stage.run(answer, timeouts={"total_s": 2})
    recovered(observed, tries=1)
    return "finish_reason before total_s, end of the stream after it: passed"


@case("transport.total", "every completion has its own")
async def total_of_each(stage: Stage) -> str:
    async def answer(exchange: Exchange) -> None:
        await exchange.pause(1.2)
        await (exchange.reply("No code.") if exchange.request.attempt == 1 else passing(exchange))

    observed = await stage.run(answer, timeouts={"total_s": 2})
    recovered(observed, tries=1, verdict="no_code")
    recovered(observed, tries=1, attempt=2)
    return "2 completions of 1.2 s, total_s 2: passed"
