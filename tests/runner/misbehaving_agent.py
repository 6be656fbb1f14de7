"""The Python runtime with one fault, named by the first argument; the second is the run file.

It does the whole loop, so that everything but the fault is in order. Faults that come with a second start
count the starts in a file of the folder that the runtime is started in.
"""

import asyncio
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "runtimes" / "python"))

from agentloop.__main__ import main

MIB = 1024 * 1024
ballast = []


def start() -> int:
    """Which start of this runtime this is, from 1."""
    os.makedirs("build", exist_ok=True)  # which is no part of the contender
    with open("build/starts", "ab") as file:
        file.write(b".")
        return file.tell()


def takes_more_in_every_second_start() -> None:
    if start() % 2 == 0:
        ballast.append(bytearray(b"x") * (30 * MIB))


def takes_more_in_its_first_start() -> None:
    if start() == 1:
        ballast.append(bytearray(b"x") * (30 * MIB))


def takes_more_at_each_start() -> None:
    ballast.append(bytearray(b"x") * (10 * start() * MIB))


def stamps_before_it_happens() -> None:
    from agentloop.events import EventFile

    emit = EventFile.emit

    def emit_too_early(self, event) -> None:
        if event["event"] == "attempt":
            event = {**event, "t_last": event["t_last"] - 60_000_000}
        emit(self, event)

    EventFile.emit = emit_too_early


def asks_what_it_does_not_tell() -> None:
    from agentloop.chat import Chat
    from agentloop.events import Attempt

    complete = Chat.complete

    async def complete_twice(self, body, attempt) -> str:
        await complete(self, body, Attempt(attempt.task, attempt.attempt, attempt.t_begin))
        return await complete(self, body, attempt)

    Chat.complete = complete_twice


def asks_again() -> None:
    from agentloop.answer import TryFailed
    from agentloop.chat import Chat

    try_once, calls = Chat._try_once, []

    async def fail_at_first(self, body, attempt, total):
        calls.append(attempt)
        if len(calls) == 1:
            raise TryFailed("told to")
        return await try_once(self, body, attempt, total)

    Chat._try_once = fail_at_first


def caps_its_connections() -> None:
    from agentloop.chat import Chat

    complete, pool = Chat.complete, asyncio.Semaphore(5)

    async def complete_in_turn(self, body, attempt) -> str:
        async with pool:
            return await complete(self, body, attempt)

    Chat.complete = complete_in_turn


def begins_early() -> None:
    from agentloop import agent

    async def not_at_all(t: int) -> None:
        pass

    agent.sleep_until = not_at_all


def asks_otherwise_in_its_second_start() -> None:
    from agentloop.messages import Conversation

    body = Conversation.body
    if start() == 2:
        Conversation.body = lambda self, model, request: body(self, model, {**request, "temperature": 1})


def judges_otherwise_in_its_second_start() -> None:
    from agentloop import agent

    if start() == 2:
        agent.judge = lambda exit_code, timed_out, stdout: "failed"


def hangs_in_its_second_start() -> None:
    from agentloop import agent

    if start() == 2:

        async def hang(*_) -> None:
            await asyncio.Event().wait()

        agent.Agent._step = hang


def crashes_in_its_second_start() -> None:
    if start() == 2:
        os.abort()


def does_nothing_wrong() -> None:
    pass


globals()[sys.argv[1].replace("-", "_")]()
sys.exit(main(sys.argv[2:]))
