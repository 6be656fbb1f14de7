"""The event file: the times and the values of an attempt's event."""

import asyncio
import os
import time
from itertools import pairwise
from pathlib import Path

from agentdyno.conformance import wire
from agentdyno.conformance.assertions import noted, noting, once, recovered, tell, time_of
from agentdyno.conformance.case import case
from agentdyno.conformance.endpoint import Exchange
from agentdyno.conformance.rules import require
from agentdyno.conformance.running import Running
from agentdyno.conformance.stage import FAILING, PASSING, Stage, passing
from agentdyno.rundata.events import PHASES


@case("events.times", "the stream's")
async def stream_times(stage: Stage) -> str:
    sent: dict[str, int] = {}
    pause_s = 0.5
    """So much later comes the next event; a machine that is busier than that shows wrong times."""

    async def answer(exchange: Exchange) -> None:
        role, *contents, finish, done = map(wire.chunked, wire.completion(wire.fenced(PASSING)))
        await exchange.send(wire.head(), role)
        await exchange.pause(pause_s)
        sent["content"] = time.monotonic_ns()
        await exchange.send(contents[0])
        await exchange.pause(pause_s)
        sent["more"] = time.monotonic_ns()
        await exchange.send(*contents[1:])
        await exchange.pause(pause_s)
        sent["finish"] = time.monotonic_ns()
        await exchange.send(finish)
        await exchange.pause(pause_s)
        sent["done"] = time.monotonic_ns()
        await exchange.send(done, wire.LAST_CHUNK)

    observed = await stage.run(answer)
    attempt = observed.attempt()
    for name, after, before in (("t_first", "content", "more"), ("t_last", "finish", "done")):
        t = time_of(attempt, name)
        require(t >= sent[after], f"{name} is before the {after} was sent")
        late_ms = (t - sent[after]) / 1e6
        require(
            t <= sent[before],
            f"{name} is {late_ms:.1f} ms after the {after} was sent, and after what followed",
        )
    lag_us = (time_of(attempt, "t_last") - sent["finish"]) // 1000
    return f"t_last {lag_us} us after the finish_reason was sent"


@case("events.times", "the verifier's")
async def verifier_times(stage: Stage) -> str:
    """One slot, held until the second attempt's files are there: that attempt must be seen to wait."""
    tasks = ("one", "two")

    async def answer(exchange: Exchange) -> None:
        task = exchange.request.task
        body = f"begin = time.monotonic_ns()\nwait_for('go')\nnote({task!r}, [begin, time.monotonic_ns()])\n"
        await exchange.code(noting(stage, body + PASSING))

    async def when_both_are_written(running: Running) -> None:
        def written() -> bool:
            folders = [Path(folder) for folder, _, _ in os.walk(running.workspaces)]
            names = ("solution.py", "test_solution.py")
            return sum(all((folder / name).exists() for name in names) for folder in folders) == 2

        await running.until(written, "both attempts' files")
        await asyncio.sleep(0.3)
        tell(stage, "go")

    observed = await stage.run(
        answer,
        tasks=tasks,
        agents=2,
        verify={"slots": 1, "timeout_s": 20},
        act=when_both_are_written,
    )
    attempts = sorted(
        (observed.attempt(task=task) for task in tasks), key=lambda attempt: attempt.t_spawn or 0
    )
    ran = {}
    for attempt in attempts:
        ran[attempt.task] = begin, end = noted(stage, attempt.task)
        t_spawn, t_exit = time_of(attempt, "t_spawn"), time_of(attempt, "t_exit")
        require(t_spawn <= begin, f"t_spawn is {t_spawn - begin} ns after the code began")
        require(t_exit >= end, f"t_exit is {end - t_exit} ns before the code ended")
    one, two = attempts
    t_queue, t_spawn = time_of(two, "t_queue"), time_of(two, "t_spawn")
    one_end = ran[one.task][1]
    require(t_spawn >= one_end, "the second attempt's t_spawn is before the first gave up its slot")
    require(
        t_queue < one_end,
        "the second attempt's t_queue is after its files were written, when it had a slot",
    )
    return f"waited {(t_spawn - t_queue) / 1e9:.2f} s for the slot, and t_queue to t_spawn show it"


@case("events.times", "one attempt after another")
async def attempts_in_order(stage: Stage) -> str:
    async def answer(exchange: Exchange) -> None:
        await exchange.code(PASSING if exchange.request.attempt == 4 else FAILING)

    observed = await stage.run(answer, tasks=("task/1", "task/2", "task/3"), agents=2)
    for task in ("task/1", "task/2", "task/3"):
        attempts = observed.attempts(task)
        for one, other in pairwise(attempts):
            early_ns = one.t_end - other.t_begin
            require(
                early_ns <= 0, f"{task}: attempt {other.attempt} begins {early_ns} ns before the last ended"
            )
        require(
            observed.outcome(task).t >= attempts[-1].t_end,
            f"the task event of {task} is earlier than its attempt",
        )
    return f"{len(observed.events.attempts)} attempts, none before the one before it ended"


@case("events.values", "how verifiers end")
async def how_verifiers_end(stage: Stage) -> str:
    kill = "import os\nos.kill(os.getpid(), {})\n"
    expected: dict[str, tuple[str, int | None, int | None, bool]] = {
        PASSING: ("passed", 0, None, False),
        FAILING: ("failed", 1, None, False),
        "raise SystemExit(77)\n": ("no_summary", 77, None, False),
        kill.format(6): ("no_summary", None, 6, False),
        kill.format(15): ("no_summary", None, 15, False),
        kill.format(9): ("no_summary", None, 9, False),
        "while True: pass\n": ("timed_out", None, 9, True),
    }
    codes = list(expected)

    async def answer(exchange: Exchange) -> None:
        await exchange.code(codes[int(exchange.request.task)])

    tasks = [str(number) for number in range(len(codes))]
    verify = {"timeout_s": 2, "slots": 3}
    observed = await stage.run(answer, tasks=tasks, agents=len(tasks), max_retries=0, verify=verify)
    for task, code in zip(tasks, codes, strict=True):
        found = observed.attempt(task=task)
        values = (found.verdict, found.exit_code, found.signal, found.timed_out)
        require(
            values == expected[code],
            f"verdict, exit_code, signal, timed_out of {code!r}: {values}, expected {expected[code]}",
        )
    return f"{len(codes)} ways, exit code or signal"


@case("events.values", "phases that did not happen")
async def phases_null(stage: Stage) -> str:
    async def answer(exchange: Exchange) -> None:
        match exchange.request.task:
            case "no code":
                await exchange.reply("No code.")
            case "refused":
                await exchange.send(wire.json_error(400))
            case _:
                await passing(exchange)

    observed = await stage.run(answer, tasks=("passed", "no code", "refused"), max_retries=0)
    expected = {
        "passed": PHASES,
        "no code": ("t_begin", "t_request", "t_first", "t_last", "t_end"),
        "refused": ("t_begin", "t_request", "t_end"),
    }
    for task, happened in expected.items():
        attempt = observed.attempt(task=task)
        found = tuple(name for name in PHASES if getattr(attempt, name) is not None)
        require(
            found == tuple(happened), f"{task}: phases {', '.join(found)}; expected {', '.join(happened)}"
        )
    return "null without a completion, null without a verification"


@case("events.values", "usage")
async def usage(stage: Stage) -> str:
    given = {
        "prompt_tokens": 12,
        "completion_tokens": 9007199254740993,
        "cost": 0.125,
        "details": {"cached": None, "é": [1, {"x": True}]},
    }

    async def answer(exchange: Exchange) -> None:
        *most, done = wire.completion(wire.fenced(PASSING))
        if exchange.request.task == "with":
            await exchange.stream(*most, wire.event({"choices": [], "usage": given}), done)
        else:
            await exchange.stream(*most, done)

    observed = await stage.run(answer, tasks=("with", "without"))
    found = observed.attempt(task="with").usage
    require(found == given, f"usage {found}, expected {given}")
    require(observed.attempt(task="without").usage is None, "usage is not null, and none was sent")
    return "passed on as it came; null without"


@case("events.values", "tries and the time they took")
async def tries_and_time(stage: Stage) -> str:
    """`transport_ns` is the time until the try that succeeded began; that try alone has the times."""

    async def refuse(exchange: Exchange) -> None:
        await exchange.pause(0.2)
        await exchange.send(wire.json_error(503, retry_after=1))

    observed = await stage.run(once(refuse), tasks=("task/1",))
    recovered(observed)
    first = observed.requests[0]
    attempt = observed.attempt()
    assert first.t_answer is not None
    least = first.t_answer - first.t + 990_000_000
    require(
        attempt.transport_ns >= least, f"transport_ns {attempt.transport_ns}, the endpoint saw {least} pass"
    )
    t_request = time_of(attempt, "t_request")
    most = t_request - attempt.t_begin
    require(
        attempt.transport_ns <= most, f"transport_ns {attempt.transport_ns} reaches past t_request, {most}"
    )
    require(t_request > first.t_answer, "t_request is the first try's")
    observed = await stage.run()
    untroubled = observed.attempt().transport_ns
    require(untroubled < 1_000_000, f"transport_ns {untroubled} with one try, expected 0")
    return f"{attempt.transport_ns / 1e9:.2f} s for a try of 0.2 s and a sleep of 1 s"
