"""Transport: how long is waited between tries."""

import statistics
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from agentdyno.conformance import wire
from agentdyno.conformance.assertions import EARLY_S, given_up, once, recovered
from agentdyno.conformance.case import case
from agentdyno.conformance.cases.transport_limits import SLOWNESS_S
from agentdyno.conformance.endpoint import Exchange
from agentdyno.conformance.rules import require
from agentdyno.conformance.stage import Stage, passing

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
