"""Events: what the event file says, and when."""

import asyncio
import hashlib
import json
import os
import signal
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from agentdyno.conformance import wire
from agentdyno.conformance.assertions import once, recovered, time_of
from agentdyno.conformance.case import case
from agentdyno.conformance.endpoint import Exchange
from agentdyno.conformance.notes import noted, noting, tell
from agentdyno.conformance.observation import Observation
from agentdyno.conformance.running import Running
from agentdyno.conformance.stage import FAILING, PASSING, PROMPTS, Stage, passing
from agentdyno.conformance.violation import require
from agentdyno.measure import proc
from agentdyno.rundata.events import PHASES

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
