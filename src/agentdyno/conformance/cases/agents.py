"""Agents, all at once, and the slots in which they verify."""

import asyncio
import contextlib

from agentdyno.conformance.assertions import is_noted, noted, noting, tell, time_of
from agentdyno.conformance.case import Play, case
from agentdyno.conformance.endpoint import Answer, Exchange
from agentdyno.conformance.invariants import Observation
from agentdyno.conformance.rules import require
from agentdyno.conformance.stage import PASSING, Stage, passing

HELD_S = 5.0
"""How long the endpoint waits for all agents; the last of them may have a slow machine to share."""

QUICK = {"argv": ["echo", "1 passed in 0.00s"], "slots": 4}
"""A verifier that takes next to no time."""


def _tasks(number: int) -> list[str]:
    return [f"task/{i}" for i in range(1, number + 1)]


def _when_all_are_there(agents: int) -> Answer:
    """Answer nothing until that many requests are open."""
    there = 0
    all_there = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        nonlocal there
        there += 1
        if there >= agents:
            all_there.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(all_there.wait(), HELD_S)
        await passing(exchange)

    return answer


def _at_once(agents: int, tasks: int) -> Play:
    async def play(stage: Stage) -> str:
        expected = min(agents, tasks)
        answer = _when_all_are_there(expected)
        observed = await stage.run(answer, tasks=_tasks(tasks), agents=agents, verify=QUICK)
        require(
            observed.most_open == expected, f"{observed.most_open} requests open at once, expected {expected}"
        )
        _each_once(observed, tasks)
        return f"{expected} requests open at once, {tasks} tasks, each once"

    return play


def _each_once(observed: Observation, tasks: int) -> None:
    for task in _tasks(tasks):
        sent = len(observed.of(task))
        require(sent == 1, f"{sent} requests for {task}, expected 1; {observed.ending}")
        require(observed.outcome(task).outcome == "passed", f"{observed.outcome(task)}")


case("run-file.agents", "two hundred")(_at_once(200, 200))
case("run-file.agents", "more agents than tasks")(_at_once(10, 3))
case("run-file.agents", "more tasks than agents")(_at_once(4, 25))


@case("run-file.agents", "the tasks in their order")
async def in_order(stage: Stage) -> str:
    observed = await stage.run(tasks=_tasks(12), verify=QUICK)
    asked = [request.task for request in observed.requests]
    require(asked == _tasks(12), f"one agent asked for {', '.join(asked)}")
    return "one agent, 12 tasks, in the order of the file"


@case("run-file.agents", "one agent is held up")
async def one_held_up(stage: Stage) -> str:
    """The other one does all that is left, so tasks are not dealt out beforehand."""
    others_done = asyncio.Event()
    asked: set[str] = set()

    async def answer(exchange: Exchange) -> None:
        asked.add(exchange.request.task)
        if len(asked) == 10:
            others_done.set()
        if exchange.request.task == "task/1":
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(others_done.wait(), HELD_S)
            if not others_done.is_set():
                missing = sorted(set(_tasks(10)) - asked)
                held_up.append(f"not begun while one agent was held up: {', '.join(missing)}")
        await passing(exchange)

    held_up: list[str] = []
    observed = await stage.run(answer, tasks=_tasks(10), agents=2, verify=QUICK)
    require(not held_up, "".join(held_up))
    _each_once(observed, 10)
    return "the other agent did the 9 tasks that were left"


@case("run-file.agents", "one request each")
async def one_request_each(stage: Stage) -> str:
    """An agent that retries is still one agent."""

    async def answer(exchange: Exchange) -> None:
        await exchange.pause(0.02)
        await (passing(exchange) if exchange.request.attempt == 3 else exchange.reply("No code."))

    observed = await stage.run(answer, tasks=_tasks(9), agents=3, verify=QUICK)
    require(observed.most_open <= 3, f"{observed.most_open} requests open at once, and there are 3 agents")
    require(len(observed.requests) == 27, f"{len(observed.requests)} requests, expected 27")
    return f"27 requests, {observed.most_open} at once at most"


def _at_work(slots: int) -> str:
    """Code that notes when it runs, and waits until as many as there are slots have begun."""
    return (
        "note(f'begin-{os.getpid()}', time.monotonic_ns())\n"
        f"end = time.monotonic() + {HELD_S}\n"
        "while sum(name.startswith('begin') for name in os.listdir(NOTES)) < "
        f"{slots} and time.monotonic() < end:\n"
        "    time.sleep(0.002)\n"
        "time.sleep(0.06)\n"
        "note(f'end-{os.getpid()}', time.monotonic_ns())\n"
        f"{PASSING}"
    )


def _most_at_once(stage: Stage) -> int:
    """How many of those who noted when they run ran at once."""
    steps = [(int(note.read_text()), note.name.startswith("begin")) for note in stage.notes.iterdir()]
    running = most = 0
    for _, begins in sorted(steps):
        running += 1 if begins else -1
        most = max(most, running)
    return most


def _slots(slots: int, agents: int) -> Play:
    async def play(stage: Stage) -> str:
        async def answer(exchange: Exchange) -> None:
            await exchange.code(noting(stage, _at_work(slots)))

        verify = {"slots": slots, "timeout_s": 20}
        await stage.run(answer, tasks=_tasks(agents), agents=agents, verify=verify)
        found = _most_at_once(stage)
        require(found == slots, f"{found} verifications at once, and there are {slots} slots")
        return f"{agents} agents, {found} verifications at once"

    return play


case("verify.slots", "one slot")(_slots(1, 8))
case("verify.slots", "three slots")(_slots(3, 12))


@case("verify.slots", "given back")
async def given_back(stage: Stage) -> str:
    """However a verification ends, its slot is free for the next one, which the same agent asks for."""
    codes = {
        "an endless loop": "while True: pass\n",
        "a signal": "import os\nos.kill(os.getpid(), 6)\n",
        "a syntax error": "def\n",
        "a child left behind": f"import os, time\nif os.fork() == 0:\n    time.sleep(60)\n{PASSING}",
        "a pass": PASSING,
    }

    async def answer(exchange: Exchange) -> None:
        await exchange.code(codes[exchange.request.task])

    verify = {"slots": 1, "timeout_s": 1}
    observed = await stage.run(answer, tasks=[*codes], max_retries=0, verify=verify, within_s=8)
    outcomes = {task: observed.outcome(task).outcome for task in codes}
    passed = {task for task, outcome in outcomes.items() if outcome == "passed"}
    require(passed == {"a child left behind", "a pass"}, f"outcomes {outcomes}")
    return f"one slot, used after: {', '.join(codes)}"


APART_NS = 20_000_000
"""Agents that began to wait within this time of each other may be served in any order."""


@case("verify.slots", "first come, first served")
async def first_come(stage: Stage) -> str:
    """One agent has the slot; the others come one after another, and in that order they are served."""
    waiting = 6
    held = asyncio.Condition()
    answered = 0

    async def answer(exchange: Exchange) -> None:
        nonlocal answered
        number = int(exchange.request.task.removeprefix("task/"))
        if number == 1:
            await exchange.code(noting(stage, f"note('begun', 0)\nwait_for('go')\n{PASSING}"))
            while not is_noted(stage, "begun"):
                await exchange.pause(0.005)
        async with held:
            await held.wait_for(lambda: answered == number - 1)
        if number > 1:
            note = f"note('served-{number}', time.monotonic_ns())\n"
            await exchange.code(noting(stage, note + PASSING))
            await asyncio.sleep(2 * APART_NS / 1e9)
        async with held:
            answered = number
            held.notify_all()
        if answered == 1 + waiting:
            tell(stage, "go")

    tasks = _tasks(1 + waiting)
    observed = await stage.run(answer, tasks=tasks, agents=len(tasks), verify={"slots": 1, "timeout_s": 20})
    came = {task: time_of(observed.attempt(task=task), "t_queue") for task in tasks[1:]}
    served = sorted(came, key=lambda task: noted(stage, task.replace("task/", "served-")))
    for place, task in enumerate(served):
        for later in served[place + 1 :]:
            came_first = came[task] < came[later] + APART_NS
            require(came_first, f"{later} came before {task} and was served after it")
    return f"{waiting} agents waited for one slot and had it in the order in which they came"
