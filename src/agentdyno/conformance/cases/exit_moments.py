"""Exit: the moments at which a signal comes."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agentdyno.conformance import wire
from agentdyno.conformance.assertions import is_noted, noting
from agentdyno.conformance.endpoint import Answer, Exchange
from agentdyno.conformance.running import Act, Running
from agentdyno.conformance.stage import FAILING, Stage, passing

LIMIT_S = 5.0
"""How long a runtime may take to end after a signal."""

WITHIN_S = 7.0
"""When a runtime that does not end is given up."""

SLEEP_S = 60
"""How long a verification goes on if nobody ends it."""


@dataclass(frozen=True)
class Moment:
    """A moment of a run: what leads to it, and how one sees that it has come.

    `under_way` are the tasks that agents work on then, `waiting` those after them, `over` those before.
    """

    answer: Answer
    come: Act
    under_way: Sequence[str] = ("task/1",)
    waiting: Sequence[str] = ()
    over: Sequence[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


async def started(running: Running) -> None:
    await running.until(running.events, "run_start")


def _after_answer(sent: list[str], number: int = 1) -> Act:
    """A short while after the endpoint has said all that it will: the runtime has read it by then, mostly."""

    async def come(running: Running) -> None:
        await running.until(lambda: len(sent) >= number, "the answer")
        end = time.monotonic() + 0.1
        await running.until(lambda: time.monotonic() > end, "a tenth of a second")

    return come


def run_start(stage: Stage) -> Moment:
    """As soon as there is a run_start event."""
    return Moment(Exchange.silence, started, waiting=("task/2", "task/3"))


def headers(stage: Stage) -> Moment:
    """While the endpoint says nothing to eight agents, and more tasks wait."""
    tasks = [f"task/{number}" for number in range(1, 31)]

    async def eight_requests(running: Running) -> None:
        await running.until(lambda: len(running.endpoint.requests) >= 8, "8 requests")

    return Moment(
        Exchange.silence, eight_requests, under_way=tasks[:8], waiting=tasks[8:], options={"agents": 8}
    )


def stream(stage: Stage) -> Moment:
    """In the middle of a stream that goes on, after a task that is over."""

    async def answer(exchange: Exchange) -> None:
        if exchange.request.task == "task/0":
            await passing(exchange)
            return
        await exchange.send(wire.head())
        while True:
            await exchange.send(wire.chunked(wire.event(wire.delta(content="some "))))
            sent.append(exchange.request.task)
            await exchange.pause(0.01)

    sent: list[str] = []
    return Moment(answer, _after_answer(sent, 3), waiting=("task/2",), over=("task/0",))


def second_attempt(stage: Stage) -> Moment:
    """While the second attempt waits for its answer; the first one is over and stays what it was."""

    async def answer(exchange: Exchange) -> None:
        await (exchange.code(FAILING) if exchange.request.attempt == 1 else exchange.silence())

    async def two_requests(running: Running) -> None:
        await running.until(lambda: len(running.endpoint.requests) == 2, "the second attempt's request")

    return Moment(answer, two_requests)


def backoff(stage: Stage) -> Moment:
    """While it sleeps before a try."""

    async def answer(exchange: Exchange) -> None:
        await exchange.send(wire.json_error(429, retry_after=3600))
        sent.append(exchange.request.task)

    sent: list[str] = []
    return Moment(answer, _after_answer(sent), options={"timeouts": {"total_s": 600}})


def _verifying(stage: Stage, code: str, *notes: str) -> Moment:
    """While code runs that has noted these."""

    async def answer(exchange: Exchange) -> None:
        await exchange.code(noting(stage, code))

    async def come(running: Running) -> None:
        await running.until(lambda: all(is_noted(stage, note) for note in notes), "the verification")

    return Moment(answer, come, options={"verify": {"timeout_s": SLEEP_S}})


def verification(stage: Stage) -> Moment:
    """In the middle of a verification that writes into its workspace all the time."""
    return _verifying(
        stage,
        "note('begun', 0)\n"
        f"end = time.monotonic() + {SLEEP_S}\n"
        "number = 0\n"
        "while time.monotonic() < end:\n"
        "    number += 1\n"
        "    os.makedirs(f'folder-{number % 50}', exist_ok=True)\n"
        "    open(f'folder-{number % 50}/file', 'w').close()\n",
        "begun",
    )


def stubborn(stage: Stage) -> Moment:
    """In the middle of a verification that ignores every signal that can be ignored."""
    return _verifying(
        stage,
        "for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:\n"
        "    signal.signal(number, signal.SIG_IGN)\n"
        f"note('begun', 0)\ntime.sleep({SLEEP_S})\n",
        "begun",
    )


def family(stage: Stage) -> Moment:
    """In the middle of a verification with children and grandchildren in its group, one of them stopped."""
    return _verifying(
        stage,
        "if os.fork() == 0:\n"
        "    if os.fork() == 0:\n"
        "        note('grandchild', 0)\n"
        f"        time.sleep({SLEEP_S})\n"
        "    note('child', 0)\n"
        "    os.kill(os.getpid(), signal.SIGSTOP)\n"
        f"time.sleep({SLEEP_S})\n",
        "child",
        "grandchild",
    )


def slot(stage: Stage) -> Moment:
    """While two agents verify, four wait for a slot, and two more tasks wait."""
    tasks = [f"task/{number}" for number in range(1, 9)]

    async def answer(exchange: Exchange) -> None:
        await exchange.code(noting(stage, f"note(f'begun-{{os.getpid()}}', 0)\ntime.sleep({SLEEP_S})\n"))

    async def two_verify_and_four_wait(running: Running) -> None:
        def files() -> int:
            return sum("test_solution.py" in names for _, _, names in os.walk(running.workspaces))

        await running.until(lambda: files() == 6, "the files of 6 attempts")
        await running.until(lambda: len(os.listdir(stage.notes)) == 2, "2 verifications")

    options = {"agents": 6, "verify": {"timeout_s": SLEEP_S, "slots": 2}}
    return Moment(answer, two_verify_and_four_wait, under_way=tasks[:6], waiting=tasks[6:], options=options)


MOMENTS: Mapping[str, Callable[[Stage], Moment]] = {
    "as soon as run_start is there": run_start,
    "waiting for headers": headers,
    "in mid-stream": stream,
    "in the second attempt": second_attempt,
    "sleeping before a try": backoff,
    "in mid-verification": verification,
    "in a verification that ignores signals": stubborn,
    "in a verification with grandchildren": family,
    "waiting for a slot": slot,
}
