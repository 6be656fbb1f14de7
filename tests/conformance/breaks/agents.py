"""Breaks of how agents take tasks, and of the slots in which they verify."""

import asyncio
from collections.abc import Iterable
from typing import Any

from breaks.declare import Break


def _run_agents(instead: Any) -> None:
    from agentloop import run

    original = run.run_agents
    run.run_agents = lambda agent, tasks, agents, t_start: instead(
        lambda *arguments: original(*arguments, t_start), agent, tasks, agents
    )


def a_hundred_connections() -> None:
    from agentloop.chat import Chat

    complete = Chat.complete
    connections = asyncio.Semaphore(100)

    async def when_there_is_one(self: Any, body: bytes, attempt: Any) -> str:
        async with connections:
            return await complete(self, body, attempt)

    Chat.complete = when_there_is_one  # type: ignore[method-assign]


def an_agent_for_every_task() -> None:
    _run_agents(lambda original, agent, tasks, agents: original(agent, tasks, 1000))


def one_agent_less() -> None:
    _run_agents(lambda original, agent, tasks, agents: original(agent, tasks, max(1, agents - 1)))


def one_agent_more() -> None:
    _run_agents(lambda original, agent, tasks, agents: original(agent, tasks, agents + 1))


def tasks_dealt_out() -> None:
    async def dealt_out(original: Any, agent: Any, tasks: Iterable[Any], agents: int) -> None:
        every = list(tasks)
        await asyncio.gather(*(original(agent, every[place::agents], 1) for place in range(agents)))

    _run_agents(dealt_out)


def last_task_first() -> None:
    _run_agents(lambda original, agent, tasks, agents: original(agent, list(tasks)[::-1], agents))


def _slots(make: Any) -> None:
    from agentloop.verifier import Verifier

    init = Verifier.__init__

    def with_others(self: Any, *arguments: Any, slots: int = 1, **named: Any) -> None:
        init(self, *arguments, slots=slots, **named)
        self._slots = make(slots)

    Verifier.__init__ = with_others  # type: ignore[method-assign]


def one_slot_more() -> None:
    _slots(lambda slots: asyncio.Semaphore(slots + 1))


def a_slot_for_everybody() -> None:
    _slots(lambda slots: asyncio.Semaphore(1000))


class LastComeFirstServed:
    """One slot."""

    def __init__(self) -> None:
        self.taken = False
        self.waiting: list[asyncio.Future[None]] = []

    async def __aenter__(self) -> None:
        if self.taken:
            self.waiting.append(asyncio.get_running_loop().create_future())
            await self.waiting[-1]
        self.taken = True

    async def __aexit__(self, *_: object) -> None:
        if self.waiting:
            self.waiting.pop().set_result(None)
        else:
            self.taken = False


def last_come_first_served() -> None:
    _slots(lambda slots: LastComeFirstServed())


class KeepsSome(asyncio.Semaphore):
    """Slots that are not given back when `keeps` is true."""

    keeps = False

    def release(self) -> None:
        if self.keeps:
            self.keeps = False
        else:
            super().release()


def kept_after_a_timeout() -> None:
    from agentloop.process import Child

    finish = Child.finish
    made: list[KeepsSome] = []

    def make(slots: int) -> KeepsSome:
        made.append(KeepsSome(slots))
        return made[-1]

    async def finish_and_keep(self: Any, timeout_s: float) -> Any:
        finished = await finish(self, timeout_s)
        made[-1].keeps = finished.timed_out
        return finished

    _slots(make)
    Child.finish = finish_and_keep  # type: ignore[method-assign]


BREAKS = [
    Break("run-file.agents", "a hundred at most", "run-file.agents/two hundred", a_hundred_connections),
    Break(
        "run-file.agents",
        "one for every task",
        "run-file.agents/more tasks than agents",
        an_agent_for_every_task,
    ),
    Break("run-file.agents", "one less", "run-file.agents/more agents than tasks", one_agent_less),
    Break("run-file.agents", "dealt out", "run-file.agents/one agent is held up", tasks_dealt_out),
    Break("run-file.agents", "last first", "run-file.agents/the tasks in their order", last_task_first),
    Break("run-file.agents", "one more", "run-file.agents/one request each", one_agent_more),
    Break("verify.slots", "one more", "verify.slots/one slot", one_slot_more),
    Break("verify.slots", "one for everybody", "verify.slots/three slots", a_slot_for_everybody),
    Break(
        "verify.slots",
        "last come, first served",
        "verify.slots/first come, first served",
        last_come_first_served,
    ),
    Break("verify.slots", "kept after a timeout", "verify.slots/given back", kept_after_a_timeout),
]
