"""The simulated model: replies from a script, at the due times of a profile.

Due times are absolute, with one heap and one timer. A timer for each chunk would cost more than the chunk.
At each wake-up, the schedule sends everything whose due time has passed, in the order of due times. A due
time never moves, even if an earlier one was missed.
"""

import asyncio
import json
from functools import partial
from heapq import heappop, heappush
from itertools import cycle, islice
from time import monotonic_ns
from typing import Protocol

from agentdyno.endpoint.api import (
    ApiError,
    Catalogue,
    attempt_of,
    key_of,
    opening_of,
    parse_chat_request,
    text_of,
)
from agentdyno.endpoint.completion import CREATED, Frame, Reply, Stream, Whole, content_of, escaped, tokenize
from agentdyno.endpoint.exchange import Exchange
from agentdyno.endpoint.journal import Record
from agentdyno.endpoint.profile import Profile
from agentdyno.endpoint.said import reason_in
from agentdyno.endpoint.script import Script
from agentdyno.tasks.plan import keyed
from agentdyno.tasks.task import Task

_STEPS_IN_A_ROW = 64
"""After this many steps the loop reads its sockets, so that arrivals get their times under load too."""


class Timed(Protocol):
    """Work in steps, each with a due time of its own."""

    def step(self) -> int | None:
        """Do one step; return the due time of the next in nanoseconds of CLOCK_MONOTONIC, None at the end."""


class Schedule:
    """Calls `step` of everything in it at its due time, never before."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._heap: list[tuple[int, int, Timed]] = []
        self._count = 0
        self._timer: asyncio.Handle | None = None
        self._wakes_at = 0

    def add(self, due_ns: int, timed: Timed) -> None:
        """Add `timed`, whose first step has the due time `due_ns`."""
        self._push(due_ns, timed)
        if self._timer is None or due_ns < self._wakes_at:
            self._arm()

    def run_due(self) -> None:
        """Do what is due now, between other work, without waiting for the timer."""
        if self._heap and self._heap[0][0] <= monotonic_ns():
            self._run()

    def _push(self, due_ns: int, timed: Timed) -> None:
        self._count += 1
        heappush(self._heap, (due_ns, self._count, timed))

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._heap:
            return
        self._wakes_at = self._heap[0][0]
        if self._wakes_at <= monotonic_ns():
            self._timer = self._loop.call_soon(self._run)
        else:
            self._timer = self._loop.call_at(-(-self._wakes_at // 1_000_000) / 1000, self._run)

    def _run(self) -> None:
        heap = self._heap
        for _ in range(_STEPS_IN_A_ROW):
            if not heap or heap[0][0] > monotonic_ns():
                break
            _, _, timed = heappop(heap)
            due_ns = timed.step()
            if due_ns is not None:
                self._push(due_ns, timed)
        self._arm()


PROSE_TOKENS = 64
MAX_PROSE_TOKENS = 16_384
_PROSE = tokenize(
    "A dynamometer holds everything about a car still and measures the engine alone; this endpoint does that "
    "for a conversation it knows nothing about \u2014 it goes on talking, evenly, until it has said enough. "
)
_CHARACTERS_PER_TOKEN = 4


class Simulation:
    """A model that sends the replies of the script at the times of the profile.

    The texts, tokens and times of all planned attempts are made here, before the first request.
    """

    def __init__(
        self,
        tasks: list[Task],
        catalogue: Catalogue,
        seed: int,
        profile: Profile,
        model: str,
        schedule: Schedule,
    ) -> None:
        self._catalogue = catalogue
        self._script = Script(tasks, seed)
        self._seed = seed
        self._profile = profile
        self._model = model
        self._schedule = schedule
        self._vocabulary: dict[str, bytes] = {}
        self._prose = list(islice(cycle(self._escaped(_PROSE)), MAX_PROSE_TOKENS))
        self._replies = {
            (task.task_id, attempt): self._scripted(task, attempt)
            for task in tasks
            for attempt in self._script.attempts(task)
        }

    def complete(self, exchange: Exchange) -> None:
        """Fix the due time of every token, counted from the request's arrival; raises `ApiError`."""
        request = parse_chat_request(exchange.request.body)
        if request.model != self._model:
            raise ApiError(
                404,
                f"The model {request.model!r} does not exist; {self._model!r} does.",
                param="model",
                code="model_not_found",
            )
        record = exchange.record
        opening = opening_of(request.messages)
        task = self._catalogue.find(opening)
        attempt = attempt_of(request.messages)
        reply = self._reply(task, attempt) if task else self._unscripted(opening, attempt, request.max_tokens)

        tokens, finish = reply.tokens, "stop"
        if request.max_tokens is not None and len(tokens) >= request.max_tokens:
            tokens, finish = tokens[: request.max_tokens], "length"
        record.about(task, opening, attempt)
        if task and attempt > 1 and self._script.passes(task, attempt - 1):
            record.unplanned_failure = reason_in(text_of(request.messages[-1]))
        record.stream = request.stream
        record.status = 200
        record.prompt_tokens = -(-request.characters() // _CHARACTERS_PER_TOKEN)
        record.completion_tokens = len(tokens)
        record.deferred = partial(_hash, tokens)
        record.due = reply.offsets_ns if request.stream else reply.offsets_ns[len(tokens) - 1 : len(tokens)]
        sending = (
            Stream(exchange, reply, tokens, finish, Frame(reply.id, self._model, request.include_usage))
            if request.stream
            else Whole(exchange, reply, tokens, finish, self._model)
        )
        self._schedule.add(sending.due_ns(), sending)

    def models(self, exchange: Exchange) -> None:
        """List the one model."""
        model = {"id": self._model, "object": "model", "created": CREATED, "owned_by": "agentdyno"}
        exchange.respond(200, json.dumps({"object": "list", "data": [model]}).encode())

    def _reply(self, task: Task, attempt: int) -> Reply:
        return self._replies.get((task.task_id, attempt)) or self._scripted(task, attempt)

    def _scripted(self, task: Task, attempt: int) -> Reply:
        return self._made(task.task_id, attempt, self._escaped(tokenize(self._script.reply(task, attempt))))

    def _unscripted(self, opening: str, attempt: int, max_tokens: int | None) -> Reply:
        return self._made(key_of(opening), attempt, self._prose[: max_tokens or PROSE_TOKENS])

    def _made(self, key: str, attempt: int, tokens: list[bytes]) -> Reply:
        draw = keyed(self._seed, key, attempt, "times")
        name = f"chatcmpl-{draw.getrandbits(96):024x}"
        return Reply(name, tokens, self._profile.offsets_ns(len(tokens), draw))

    def _escaped(self, pieces: list[str]) -> list[bytes]:
        # Equal tokens share one object, to save memory over thousands of replies.
        vocabulary = self._vocabulary
        for piece in pieces:
            if piece not in vocabulary:
                vocabulary[piece] = escaped(piece)
        return [vocabulary[piece] for piece in pieces]


def _hash(tokens: list[bytes], record: Record) -> None:
    if record.served:
        record.replied(content_of(tokens))
