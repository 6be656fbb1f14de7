"""Transport: how long is waited, for events, between tries, and in all."""

import statistics
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from agentdyno.conformance import wire
from agentdyno.conformance.assertions import EARLY_S, given_up, once, recovered
from agentdyno.conformance.case import Play, case
from agentdyno.conformance.endpoint import Answer, Exchange
from agentdyno.conformance.observation import Observation
from agentdyno.conformance.sockets import full_port
from agentdyno.conformance.stage import PASSING, Stage, passing
from agentdyno.conformance.violation import NotPossible, require

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


AGENTS = 16
"""So many that chance cannot decide: 16 draws are all in the same half once in 30,000 times."""

TELLING_S = 0.8
"""A bound so large that what is drawn is not lost in what else takes time."""


async def _pauses(stage: Stage, retries: int, base_s: float, cap_s: float) -> list[list[float]]:
    """What lies between a try and the one after it, in s: a list for every retry, one pause per agent."""

    async def answer(exchange: Exchange) -> None:
        await exchange.send(wire.json_error(503))

    tasks = [f"task/{number}" for number in range(1, AGENTS + 1)]
    transport = {"max_retries": retries, "base_s": base_s, "cap_s": cap_s}
    observed = await stage.run(answer, tasks=tasks, agents=AGENTS, transport=transport)
    pauses: list[list[float]] = [[] for _ in range(retries)]
    for task in tasks:
        given_up(observed, 1 + retries, task)
        for number, (one, other) in enumerate(pairwise(observed.of(task))):
            assert one.t_answer is not None
            pauses[number].append((other.t - one.t_answer) / 1e9)
    return pauses


def _judge(pauses: Sequence[Sequence[float]], bounds: Sequence[float]) -> str:
    """Require that these can be times drawn uniformly between 0 and their bound, on a busy machine."""
    for number, (found, bound_s) in enumerate(zip(pauses, bounds, strict=True), start=2):
        low, middle, high = min(found), statistics.median(found), max(found)
        said = (
            f"before try {number}: {low:.3f} to {high:.3f} s, median {middle:.3f}, the bound is {bound_s:g} s"
        )
        require(high <= bound_s + SLOWNESS_S / 2, said)
        require(middle <= bound_s + SLOWNESS_S / 4, said)
        if bound_s >= TELLING_S:
            require(low < bound_s / 2, f"{said}; none in the lower half")
            require(high - low > bound_s / 4, f"{said}; all alike")
    return f"{AGENTS} agents, {', '.join(f'{min(found):.2f} to {max(found):.2f}' for found in pauses)} s"


@case("transport.backoff", "base and cap")
async def base_and_cap(stage: Stage) -> str:
    bounds = (0.2, 0.4, 0.4, 0.4, 0.4)
    return _judge(await _pauses(stage, len(bounds), 0.2, 0.4), bounds)


@case("transport.backoff", "doubled every time")
async def doubled(stage: Stage) -> str:
    bounds = (0.05, 0.1, 0.2, 0.4, TELLING_S)
    pauses = await _pauses(stage, len(bounds), 0.05, 60)
    said = _judge(pauses, bounds)
    longest = max(pauses[-1])
    require(longest > 0.3, f"before try 6: {longest:.3f} s at most, and the bound is {TELLING_S} s")
    return said


@case("transport.backoff", "none")
async def no_backoff(stage: Stage) -> str:
    longest: list[float] = []
    for base_s, cap_s in ((0, 5), (60, 0)):
        pauses = await _pauses(stage, 2, base_s, cap_s)
        _judge(pauses, (0, 0))
        longest += map(max, pauses)
    return f"base_s 0 or cap_s 0: {max(longest):.3f} s at most"


@case("transport.backoff", "seventy tries")
async def seventy_tries(stage: Stage) -> str:
    """2^69 fits into no integer of 64 bits."""

    async def answer(exchange: Exchange) -> None:
        if exchange.request.number < 70:
            await exchange.send(wire.json_error(503))
        else:
            await passing(exchange)

    observed = await stage.run(answer, transport={"max_retries": 100, "base_s": 0.0001, "cap_s": 0.002})
    recovered(observed, tries=70)
    return f"passed after {observed.attempt().transport_ns / 1e9:.2f} s"


@case("transport.retry-after", "seconds")
async def retry_after_seconds(stage: Stage) -> str:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(wire.json_error(int(exchange.request.task), retry_after=1))

    observed = await stage.run(once(answer), tasks=("429", "503", "500"), agents=3)
    waited = []
    for status in ("429", "503", "500"):
        recovered(observed, status)
        first, second = observed.of(status)
        assert first.t_answer is not None
        waited.append((second.t - first.t_answer) / 1e9)
        require(
            waited[-1] >= 1 - EARLY_S, f"{status}: tried again after {waited[-1]:.3f} s, 1 s was asked for"
        )
        counted_s = observed.attempt(task=status).transport_ns / 1e9
        require(counted_s >= 1 - EARLY_S, f"{status}: transport_ns is {counted_s:.3f} s and omits the sleep")
    return f"1 s asked for, tried again after {', '.join(f'{found:.3f}' for found in waited)} s"


FORMS: Mapping[str, str] = {
    "IMF-fixdate": "%a, %d %b %Y %H:%M:%S GMT",
    "RFC 850": "%A, %d-%b-%y %H:%M:%S GMT",
    "asctime": "%a %b %e %H:%M:%S %Y",
}
"""The three forms of an HTTP date (RFC 9110, section 5.6.7)."""


@case("transport.retry-after", "dates")
async def retry_after_dates(stage: Stage) -> str:
    """Far from Greenwich, because one of the three forms does not name its time zone."""
    dates: dict[str, int] = {}

    async def answer(exchange: Exchange) -> None:
        form = exchange.request.task
        dates[form] = int(time.time()) + 2
        date = datetime.fromtimestamp(dates[form], UTC).strftime(FORMS[form])
        await exchange.send(wire.json_error(429, retry_after=date))

    observed = await stage.run(once(answer), tasks=[*FORMS], agents=3, through=("env", "TZ=JST-9"))
    epoch_ns = time.time_ns() - time.monotonic_ns()
    for form, date in dates.items():
        recovered(observed, form)
        late_s = (observed.of(form)[1].t + epoch_ns) / 1e9 - date
        require(late_s >= -0.05, f"{form}: tried again {-late_s:.3f} s before the date")
    return f"{', '.join(FORMS)}: not before the date"


NONSENSE = ("soon", "-1", "", "1h", "1e3", "infinity", "Thu, 99 Foo 2099 99:99:99 GMT")


@case("transport.retry-after", "nonsense, and a date in the past")
async def retry_after_nonsense(stage: Stage) -> str:
    values = (*NONSENSE, "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT")

    async def answer(exchange: Exchange) -> None:
        await exchange.send(wire.json_error(429, retry_after=values[int(exchange.request.task)]))

    tasks = [str(number) for number in range(len(values))]
    observed = await stage.run(once(answer), tasks=tasks, agents=len(tasks), timeouts={"total_s": SLOWNESS_S})
    for number, value in enumerate(values):
        found = observed.attempt(task=str(number))
        require(found.verdict == "passed", f"Retry-After {value!r}: {found.verdict}, {found.reason!r}")
        recovered(observed, str(number))
    return f"{len(values)} values, none of them waited for"


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
