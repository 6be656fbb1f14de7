"""Events: the event file, whole, correct and written in time."""

import asyncio
import hashlib
import json
import signal
from typing import Any

from agentdyno.conformance import wire
from agentdyno.conformance.case import case
from agentdyno.conformance.endpoint import Exchange
from agentdyno.conformance.invariants import Observation
from agentdyno.conformance.rules import require
from agentdyno.conformance.running import Running
from agentdyno.conformance.stage import FAILING, PASSING, PROMPTS, Stage, passing
from agentdyno.measure import proc

SOON_S = 5.0
"""How long an event that is over may take to be seen in the file, on a busy machine."""

QUICK = {"argv": ["echo", "1 passed in 0.00s"], "slots": 4}


def _lines(observed: Observation) -> list[dict[str, Any]]:
    require(not observed.events.problems, "; ".join(observed.events.problems))
    return [json.loads(line) for line in observed.event_file.read_bytes().splitlines()]


@case("events.format", "the first line and the last")
async def first_and_last(stage: Stage) -> str:
    """The pid is that of the process that was started, or of a descendant that does its work."""
    family: set[int] = set()

    async def look(running: Running) -> None:
        await running.until(lambda: running.endpoint.requests, "the first request")
        members = {process.pid: process.parent for process in proc.every()}
        for pid in members:
            ancestor = pid
            while ancestor in members and ancestor != running.pid:
                ancestor = members[ancestor]
            if ancestor == running.pid:
                family.add(pid)

    async def answer(exchange: Exchange) -> None:
        await exchange.pause(0.1)
        while not family:
            await exchange.pause(0.005)
        await passing(exchange)

    observed = await stage.run(answer, tasks=("task/1", "task/2"), act=look)
    lines = _lines(observed)
    names = [line["event"] for line in lines]
    expected = ["run_start", "attempt", "task", "attempt", "task", "run_end"]
    require(names == expected, f"events {names}, expected {expected}")
    pid = lines[0]["pid"]
    require(pid in family, f"pid {pid} is none of the runtime's processes {sorted(family)}")
    require(lines[0]["t"] <= lines[1]["t_begin"], "run_start is later than the first attempt's beginning")
    require(lines[-1]["t"] >= lines[-2]["t"], "run_end is earlier than the last task")
    require(observed.event_file.read_bytes().endswith(b"\n"), "the last line does not end")
    return f"run_start first, with pid {pid}, and run_end last"


@case("events.format", "task ids of all kinds")
async def task_ids(stage: Stage) -> str:
    ids = [
        'with "quotes" and \\',
        "of two\nlines\r\n",
        "tab\tnull\x00escape\x1bdelete\x7f",
        "Grüße aus 東京 \U0001f600 é",
        "line\u2028separators\u2029\x85",
        "{task_id}",
        " ",
        "",
        "1" * 5000,
    ]
    prompts = {**PROMPTS, "user": "{prompt}"}
    observed = await stage.run(tasks=ids, agents=len(ids), prompts=prompts, verify=QUICK)
    found = sorted(outcome.task for outcome in observed.events.outcomes)
    missing = sorted(set(ids) - set(found))
    require(found == sorted(ids), f"no task event for {missing[:1]!r}")
    require(
        sorted(attempt.task for attempt in observed.events.attempts) == sorted(ids), "attempts of other tasks"
    )
    return f"{len(ids)} ids, as they were given"


@case("events.format", "long lines of many agents")
async def long_lines(stage: Stage) -> str:
    """Lines longer than a pipe's buffer, all at the same time: none is mixed with another."""
    agents = 24
    there = asyncio.Barrier(agents)

    async def answer(exchange: Exchange) -> None:
        await there.wait()
        usage = wire.event({"choices": [], "usage": {"note": exchange.request.task * 20_000}})
        *most, done = wire.completion(wire.fenced(PASSING))
        await exchange.stream(*most, usage, done)

    ids = [chr(ord("a") + number) * 6 for number in range(agents)]
    observed = await stage.run(answer, tasks=ids, agents=agents, verify=QUICK)
    require(not observed.events.problems, "; ".join(observed.events.problems))
    for task in ids:
        require(
            observed.attempt(task=task).usage == {"note": task * 20_000}, f"usage of {task} is cut or mixed"
        )
    return f"{agents} lines of 120 KB, whole"


@case("events.accounting", "every outcome")
async def every_outcome(stage: Stage) -> str:
    scripts: dict[str, list[str | int | None]] = {
        "at once": [PASSING],
        "second": [FAILING, PASSING],
        "last": [FAILING, None, PASSING],
        "never": [FAILING, FAILING, FAILING],
        "no code": [None, None, None],
        "refused": [FAILING, 400],
        "refused at once": [400],
    }
    expected = {
        "at once": ("passed", ["passed"]),
        "second": ("passed", ["failed", "passed"]),
        "last": ("passed", ["failed", "no_code", "passed"]),
        "never": ("failed", ["failed", "failed", "failed"]),
        "no code": ("failed", ["no_code", "no_code", "no_code"]),
        "refused": ("error", ["failed", "error"]),
        "refused at once": ("error", ["error"]),
    }

    async def answer(exchange: Exchange) -> None:
        match scripts[exchange.request.task][exchange.request.attempt - 1]:
            case int(status):
                await exchange.send(wire.json_error(status))
            case str(code):
                await exchange.code(code)
            case None:
                await exchange.reply("No code.")

    observed = await stage.run(answer, tasks=[*scripts], agents=3, max_retries=2)
    for task, (outcome, verdicts) in expected.items():
        found = observed.outcome(task)
        require(found.outcome == outcome, f"{task}: outcome {found.outcome}, expected {outcome}")
        given = [attempt.verdict for attempt in observed.attempts(task)]
        require(given == verdicts, f"{task}: verdicts {given}, expected {verdicts}")
        require(
            found.attempts == len(verdicts), f"{task}: {found.attempts} attempts, expected {len(verdicts)}"
        )
        reasons = [attempt.reason for attempt in observed.attempts(task)] + [found.reason]
        for ending, reason in zip([*verdicts, outcome], reasons, strict=True):
            require((reason is not None) == (ending == "error"), f"{task}: reason {reason!r} with {ending}")
    return f"{len(expected)} tasks, all outcomes, {len(observed.events.attempts)} attempts"


@case("events.digests", "of every completion")
async def digests(stage: Stage) -> str:
    reply = wire.fenced(f"# Grüße, 東京, \U0001f600\r\n{PASSING}") + "\n\nDone. "
    replies = {1: "", 2: "No code: é.", 3: reply}

    async def answer(exchange: Exchange) -> None:
        text = replies[exchange.request.attempt]
        pieces = [wire.event(wire.delta(content=character)) for character in text]
        await exchange.stream(*pieces, wire.event(wire.delta("stop")), wire.DONE)

    async def answer_or_break_off(exchange: Exchange) -> None:
        if exchange.request.task == "task/2":
            await exchange.send(wire.head(), wire.chunked(wire.event(wire.delta(content="some"))))
            exchange.close()
        else:
            await answer(exchange)

    observed = await stage.run(answer_or_break_off, tasks=("task/1", "task/2"))
    for number, text in replies.items():
        digest = hashlib.sha256(text.encode()).hexdigest()
        found = observed.attempt(number).completion_sha256
        require(found == digest, f"completion_sha256 {found} of {text!r}, expected {digest}")
    given_up = observed.attempt(task="task/2")
    require(given_up.completion_sha256 is None, "completion_sha256 is not null without a completion")
    return "3 completions, the empty one as well; null without one"


@case("events.flushed", "while the run goes on")
async def while_it_runs(stage: Stage) -> str:
    """The endpoint holds each answer until the events so far have been seen in the file."""
    expected = ["run_start"]
    shown = asyncio.Event()

    async def look(running: Running) -> None:
        for more in (["attempt"], ["attempt", "task"], ["attempt", "task"]):
            await running.until(
                lambda: [event["event"] for event in running.events()] == expected,
                f"{', '.join(expected)} in the event file",
                SOON_S,
            )
            shown.set()
            expected.extend(more)

    async def answer(exchange: Exchange) -> None:
        await shown.wait()
        shown.clear()
        await exchange.code(FAILING if len(expected) == 2 else PASSING)

    await stage.run(answer, tasks=("task/1", "task/2"), act=look)
    return "run_start, attempts and tasks, each in the file before the next request was answered"


@case("events.flushed", "kill -9")
async def killed(stage: Stage) -> str:
    """What was over before is in the file, whole; of what follows, a line may be cut."""
    over: list[str] = []

    async def answer(exchange: Exchange) -> None:
        if exchange.request.task == "task/20":
            await exchange.silence()
        await passing(exchange)
        over.append(exchange.request.task)

    async def kill(running: Running) -> None:
        await running.until(lambda: len(running.endpoint.requests) == 20, "20 requests")
        await running.until(lambda: len(running.events()) >= 2 * 19, "19 tasks in the event file", SOON_S)
        running.signal(signal.SIGKILL)

    tasks = [f"task/{number}" for number in range(1, 31)]
    observed = await stage.run(answer, tasks=tasks, verify=QUICK, act=kill, judged=False)
    require(observed.status == -signal.SIGKILL, f"expected the end by SIGKILL; {observed.ending}")
    *whole, cut = observed.event_file.read_bytes().split(b"\n")
    for number, line in enumerate(whole, start=1):
        try:
            json.loads(line)
        except ValueError:
            require(False, f"line {number} is no JSON: {line[:60]!r}")
    for kind, found in (("attempt", observed.events.attempts), ("task", observed.events.outcomes)):
        missing = sorted(set(tasks[:19]) - {event.task for event in found})
        require(not missing, f"no {kind} event of {missing[:1]}, which was over when the runtime was killed")
    return f"{len(whole)} whole lines, {len(cut)} bytes of another"
