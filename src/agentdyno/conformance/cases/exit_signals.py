"""Exit: SIGINT and SIGTERM, whenever they come."""

import asyncio
import itertools
import signal
import time
from collections.abc import Callable, Sequence
from typing import Any

from agentdyno.conformance.case import Play, case
from agentdyno.conformance.cases.exit_moments import (
    LIMIT_S,
    MOMENTS,
    WITHIN_S,
    Moment,
    headers,
    started,
    stubborn,
    verification,
)
from agentdyno.conformance.endpoint import Exchange
from agentdyno.conformance.invariants import Observation
from agentdyno.conformance.rules import require
from agentdyno.conformance.running import Running
from agentdyno.conformance.stage import Stage, passing
from agentdyno.conformance.wire import full_port


def signalled(
    prepare: Callable[[Stage], Moment], *numbers: signal.Signals, through: Sequence[str] = ()
) -> Play:
    """Send the first signal when the moment has come, and then the others, over and over."""

    async def play(stage: Stage) -> str:
        moment = prepare(stage)
        t_signal = 0

        async def act(running: Running) -> None:
            nonlocal t_signal
            await moment.come(running)
            t_signal = time.monotonic_ns()
            running.signal(numbers[0])
            for number in itertools.cycle(numbers[1:]):
                await asyncio.sleep(0.01)  # signals of one kind that come together are one
                if running.has_ended:
                    break
                running.signal(number)

        observed = await stage.run(
            moment.answer,
            tasks=[*moment.over, *moment.under_way, *moment.waiting],
            act=act,
            through=through,
            within_s=WITHIN_S,
            **moment.options,
        )
        return _ended_in_order(observed, moment, {128 + number for number in numbers}, t_signal)

    return play


def _ended_in_order(observed: Observation, moment: Moment, statuses: set[int], t_signal: int) -> str:
    seconds = (observed.t_ended - t_signal) / 1e9
    expected = " or ".join(map(str, sorted(statuses)))
    require(observed.status in statuses, f"expected exit {expected}; {observed.ending}")
    require(seconds <= LIMIT_S, f"ended {seconds:.1f} s after the signal, the limit is {LIMIT_S:g} s")
    require(not observed.events.problems, "; ".join(observed.events.problems))
    last = observed.event_file.read_bytes().splitlines()[-1]
    require(b'"run_end"' in last, f"the last event is {last[:80]!r}")
    for task in moment.over:
        require(
            observed.outcome(task).outcome == "passed", f"{observed.outcome(task)} was over before the signal"
        )
    for task in (*moment.under_way, *moment.waiting):
        outcome = observed.outcome(task)
        found = (outcome.outcome, outcome.reason)
        require(found == ("error", "interrupted"), f"outcome, reason of {task}: {found}")
    asked = {request.task for request in observed.requests}
    for task in asked & set(moment.under_way):
        require(observed.outcome(task).attempts > 0, f"0 attempts of {task}, and it was under way")
        verdict = observed.attempts(task)[-1].verdict
        require(verdict == "interrupted", f"verdict {verdict} of {task}, which was under way")
    interrupted = len(moment.under_way) + len(moment.waiting)
    return f"exit {observed.status} after {seconds:.2f} s, {interrupted} tasks interrupted"


for _name, _moment in MOMENTS.items():
    for _number in (signal.SIGTERM, signal.SIGINT):
        case("exit.signals", f"{_number.name} {_name}")(signalled(_moment, _number))

case("exit.signals", "SIGTERM again and again")(signalled(verification, signal.SIGTERM, signal.SIGTERM))
case("exit.signals", "SIGINT again and again")(signalled(headers, signal.SIGINT, signal.SIGINT))
case("exit.signals", "both again and again")(
    signalled(stubborn, signal.SIGINT, signal.SIGTERM, signal.SIGINT)
)


@case("exit.signals", "SIGTERM while connecting")
async def while_connecting(stage: Stage) -> str:
    with full_port() as url:

        async def come(running: Running) -> None:
            await started(running)
            end = time.monotonic() + 0.1
            await running.until(lambda: time.monotonic() > end, "a tenth of a second")

        def elsewhere(document: dict[str, Any]) -> None:
            document.update(base_url=url)

        options = {"timeouts": {"connect_s": 60, "total_s": 60}, "change": elsewhere}
        moment = Moment(passing, come, waiting=("task/2",), options=options)
        return await signalled(lambda stage: moment, signal.SIGTERM)(stage)


DELAYS_S = (0, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2)


def _at_the_start(number: signal.Signals) -> Play:
    """Before run_start a runtime may die of the signal; nothing must be left then either."""

    async def play(stage: Stage) -> str:
        begun = 0
        for delay_s in DELAYS_S:
            t_signal = 0

            async def act(running: Running, delay_s: float = delay_s) -> None:
                nonlocal t_signal
                end = time.monotonic() + delay_s
                await running.until(lambda: time.monotonic() >= end, "the delay")
                t_signal = time.monotonic_ns()
                running.signal(number)

            observed = await stage.run(Exchange.silence, act=act, within_s=WITHIN_S, judged=False)
            if observed.events.t_start is not None:
                _ended_in_order(observed, Moment(Exchange.silence, act), {128 + number}, t_signal)
                begun += 1
            else:
                require(
                    observed.status != 0, f"{number.name} after {delay_s} s: exit 0, and nothing was done"
                )
            left = left_behind(observed)
            require(not left, f"{number.name} after {delay_s} s left behind: {left[:1]}")
        times = f"{len(DELAYS_S) - begun} times before run_start, {begun} after"
        return f"{number.name} after 0 to {DELAYS_S[-1]} s: {times}"

    return play


def left_behind(observed: Observation) -> list[str]:
    return [*observed.survivors, *observed.workspaces_left, *["a zombie"] * observed.zombies]


for _number in (signal.SIGTERM, signal.SIGINT):
    case("exit.signals", f"{_number.name} at the start")(_at_the_start(_number))
