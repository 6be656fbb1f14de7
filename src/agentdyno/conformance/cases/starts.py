"""Tasks that have a start of their own."""

import asyncio
import json
import signal
import time
from collections.abc import Iterable, Mapping, Sequence

from agentdyno.conformance.case import Play, case
from agentdyno.conformance.cases.agents import QUICK
from agentdyno.conformance.cases.exit_moments import LIMIT_S, WITHIN_S
from agentdyno.conformance.cases.run_file_fields import Change, each_refused, refused, write
from agentdyno.conformance.endpoint import Exchange
from agentdyno.conformance.invariants import Observation
from agentdyno.conformance.rules import RuleViolation, require
from agentdyno.conformance.running import Running
from agentdyno.conformance.stage import Stage, passing, task

SLOWNESS_NS = 3_000_000_000
"""How much later than it should a busy machine may begin a task; in all, where several are added up."""

FAR_NS = {
    "an hour": 3_600_000_000_000,
    "thirty days": 30 * 86_400_000_000_000,  # in ms, more than an integer of 32 bits
    "292 years": 2**63 - 1024,  # the last below 2^63 that a double can hold; plus any time, beyond 2^63
}
"""Starts that no run lives to see."""


def _task(task_id: str, start_after_ns: int) -> dict[str, object]:
    return {**task(task_id), "start_after_ns": start_after_ns}


def _not_before(observed: Observation, starts: Mapping[str, int], t_before: int) -> None:
    """Require that every task passed, and that none began, or was asked for, before its start.

    `t_before` is when the command had not been run yet, CLOCK_MONOTONIC in ns.
    """
    t_start = _t_start(observed)
    require(t_start >= t_before, f"run_start is {t_before - t_start} ns before the command was run")
    for name, start in starts.items():
        begun = observed.attempt(task=name).t_begin - t_start
        require(begun >= start, f"t_begin of {name} is {start - begun} ns before its start, {start} ns")
        require(bool(observed.of(name)), f"no request for {name}; {observed.ending}")
        asked = observed.of(name)[0].t - t_start
        came = f"the request for {name} came {asked} ns after run_start"
        require(asked >= start, f"{came}, its start is {start} ns")
        require(observed.outcome(name).outcome == "passed", f"{observed.outcome(name)}")


def _latest(observed: Observation, starts: Mapping[str, int], agents: int) -> float:
    """How much later than it could a task began, in s; RuleViolation when no slow machine can be why."""
    t_start = _t_start(observed)
    ended = sorted(observed.outcome(name).t for name in starts)
    late = 0
    for place, (name, start) in enumerate(starts.items()):
        t_free = ended[place - agents] if place >= agents else t_start
        late = max(late, observed.attempt(task=name).t_begin - max(t_start + start, t_free))
    require(late <= SLOWNESS_NS, f"a task began {late / 1e9:.1f} s after its start, and an agent was free")
    return late / 1e9


def _t_start(observed: Observation) -> int:
    if observed.events.t_start is None:
        raise RuleViolation(f"no run_start; {observed.ending}")
    return observed.events.t_start


def _one_after_the_other(agents: int, tasks: int, apart_s: float) -> Play:
    """Tasks whose starts are evenly apart, the first one at once."""

    async def play(stage: Stage) -> str:
        starts = {f"task/{number}": int(number * apart_s * 1e9) for number in range(tasks)}
        t_before = time.monotonic_ns()
        observed = await stage.run(
            tasks=[_task(*each) for each in starts.items()], agents=agents, verify=QUICK
        )
        _not_before(observed, starts, t_before)
        latest_s = _latest(observed, starts, agents)
        return f"{tasks} tasks, {apart_s:g} s apart: none early, {latest_s:.3f} s late at most"

    return play


case("run-file.starts", "one agent")(_one_after_the_other(1, 10, 0.12))
case("run-file.starts", "as many agents as tasks")(_one_after_the_other(20, 20, 0.05))
case("run-file.starts", "more tasks than agents")(_one_after_the_other(4, 20, 0.05))


@case("run-file.starts", "past when the agent gets there")
async def already_past(stage: Stage) -> str:
    """One agent is held up until the starts of all the other tasks are past; then it waits no more."""
    start, others = 500_000_000, [f"task/{number}" for number in range(2, 11)]

    async def answer(exchange: Exchange) -> None:
        if exchange.request.task == "task/1":
            await exchange.pause(start / 1e9)
        await passing(exchange)

    t_before = time.monotonic_ns()
    observed = await stage.run(
        answer, tasks=["task/1", *(_task(name, start) for name in others)], verify=QUICK
    )
    _not_before(observed, {"task/1": 0, **dict.fromkeys(others, start)}, t_before)
    waited, t_free = 0, observed.outcome("task/1").t
    for name in others:
        waited += observed.attempt(task=name).t_begin - t_free
        t_free = observed.outcome(name).t
    require(waited <= SLOWNESS_NS, f"{waited / 1e9:.1f} s before {len(others)} tasks whose starts were past")
    return f"{len(others)} tasks whose starts were past: {waited / 1e9:.3f} s between them in all"


@case("run-file.starts", "absent and 0")
async def at_once(stage: Stage) -> str:
    tasks = (task("task/1"), _task("task/2", 0), task("task/3"), _task("task/4", 0))
    t_before = time.monotonic_ns()
    observed = await stage.run(tasks=tasks, agents=4, verify=QUICK)
    starts = {f"task/{number}": 0 for number in range(1, 5)}
    _not_before(observed, starts, t_before)
    return f"4 tasks, {_latest(observed, starts, 4):.3f} s after run_start at the latest"


def _never_begun(observed: Observation, tasks: Iterable[str], status: int, t_signal: int) -> float:
    """Require that the signal ended a run in which these waited for their start; the seconds that it took."""
    seconds = (observed.t_ended - t_signal) / 1e9
    require(observed.status == status, f"expected exit {status}; {observed.ending}")
    require(seconds <= LIMIT_S, f"ended {seconds:.1f} s after the signal, the limit is {LIMIT_S:g} s")
    for name in tasks:
        require(not observed.of(name), f"a request for {name}, long before its start")
        require(not observed.attempts(name), f"an attempt event for {name}, which was never begun")
        outcome = observed.outcome(name)
        found = (outcome.outcome, outcome.attempts, outcome.reason)
        require(found == ("error", 0, "interrupted"), f"outcome, attempts, reason of {name}: {found}")
    return seconds


@case("run-file.starts", "the others are not held up")
async def others_not_held_up(stage: Stage) -> str:
    """One agent does all four attempts of its task while the others wait for starts that are far away."""

    async def answer(exchange: Exchange) -> None:
        await (passing if exchange.request.attempt == 4 else no_code)(exchange)

    async def no_code(exchange: Exchange) -> None:
        await exchange.reply("No code.")

    t_signal = 0

    async def stop_when_it_is_done(running: Running) -> None:
        nonlocal t_signal
        await running.until(
            lambda: any(event.get("event") == "task" for event in running.events()),
            "the outcome of the only task that has no start",
        )
        # A timer that a far start does not fit into rings at once, or soon.
        await asyncio.sleep(0.1)
        t_signal = time.monotonic_ns()
        running.signal(signal.SIGTERM)

    observed = await stage.run(
        answer,
        tasks=["task/1", *(_task(*far) for far in FAR_NS.items())],
        agents=1 + len(FAR_NS),
        verify=QUICK,
        act=stop_when_it_is_done,
    )
    _never_begun(observed, FAR_NS, 143, t_signal)
    outcome = observed.outcome("task/1")
    require((outcome.outcome, outcome.attempts) == ("passed", 4), f"{outcome}")
    return f"4 attempts, while agents waited for starts after {', '.join(FAR_NS)}"


def _signalled(number: signal.Signals) -> Play:
    """Two agents wait for a start and two more tasks for an agent, when the signal comes."""

    async def play(stage: Stage) -> str:
        t_signal = 0

        async def stop(running: Running) -> None:
            nonlocal t_signal
            await running.until(running.events, "run_start")
            await asyncio.sleep(0.1)  # by then the tasks are taken, mostly
            t_signal = time.monotonic_ns()
            running.signal(number)

        names = [f"task/{place}" for place in range(1, 5)]
        observed = await stage.run(
            tasks=[_task(name, FAR_NS["an hour"]) for name in names], agents=2, act=stop, within_s=WITHIN_S
        )
        seconds = _never_begun(observed, names, 128 + number, t_signal)
        return f"exit {observed.status} after {seconds:.2f} s, {len(names)} tasks interrupted"

    return play


for _number in (signal.SIGTERM, signal.SIGINT):
    case("run-file.starts", f"{_number.name} while agents wait")(_signalled(_number))


BAD: Sequence[object] = (None, "1", True, [], {}, 1.5, -1)


@case("run-file.starts", "values that are no start")
async def bad_values(stage: Stage) -> str:
    changes: dict[str, tuple[Change, Iterable[str]]] = {}
    for value in BAD:
        lines = (task("task/1"), {**task("task/2"), "start_after_ns": value})
        content = "".join(json.dumps(line) + "\n" for line in lines).encode()
        changes[f"start_after_ns = {json.dumps(value)}"] = write("tasks_file", content), ["start_after_ns"]
    return await each_refused(stage, changes)


@case("run-file.starts", "2^63")
async def too_large(stage: Stage) -> str:
    """More than an integer of a clock can be; apart from the others, as it may be waited for."""
    tasks = (task("task/1"), _task("task/2", 2**63))
    return await refused(stage, ["start_after_ns"], tasks=tasks, within_s=10)
