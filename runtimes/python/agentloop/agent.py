"""The agent: ask, extract, write, verify, retry."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from agentloop.chat import Chat, ChatFailed
from agentloop.events import Attempt, Emit, task_event
from agentloop.extraction import extract
from agentloop.feedback import normalise
from agentloop.log import one_line
from agentloop.messages import Conversation, Prompts
from agentloop.tasks import Task
from agentloop.tools import ToolDispatcher
from agentloop.verdict import ERROR, INTERRUPTED, NO_CODE, PASSED, TIMED_OUT, judge
from agentloop.verifier import Verifier
from agentloop.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Agent:
    """Works on a task until its tests pass or its attempts, 1 + `max_retries`, are used up."""

    chat: Chat
    model: str
    prompts: Prompts
    verifier: Verifier
    workspaces: str
    emit: Emit
    request: Mapping[str, object] = field(default_factory=dict)
    max_retries: int = 3

    async def solve(self, task: Task) -> str:
        """Return the outcome, `passed`, `failed` or `error`; the task event is emitted whatever happens."""
        conversation = Conversation(self.prompts, task)
        attempt = Attempt(task.task_id, 1, t_begin=time.monotonic_ns())
        outcome = "error"
        try:
            await self._recorded(attempt, task, conversation)
            while attempt.verdict not in (PASSED, ERROR) and attempt.attempt <= self.max_retries:
                attempt = attempt.following()
                await self._recorded(attempt, task, conversation)
            outcome = attempt.verdict if attempt.verdict in (PASSED, ERROR) else "failed"
        finally:
            self.emit(task_event(task.task_id, outcome, attempt.attempt, attempt.reason))
        return outcome

    async def _recorded(self, attempt: Attempt, task: Task, conversation: Conversation) -> None:
        try:
            await self._step(attempt, task, conversation)
        except (ChatFailed, OSError) as failure:
            if _is_cancelled():  # What fails while a cancellation passes would take its place.
                attempt.verdict = attempt.reason = INTERRUPTED
                raise asyncio.CancelledError from failure
            attempt.verdict, attempt.reason = ERROR, one_line(str(failure))
        except asyncio.CancelledError:
            attempt.verdict = attempt.reason = INTERRUPTED
            raise
        finally:
            attempt.t_end = time.monotonic_ns()
            self.emit(attempt.event())

    async def _step(self, attempt: Attempt, task: Task, conversation: Conversation) -> None:
        reply = await self.chat.complete(conversation.body(self.model, self.request), attempt)
        code = extract(reply, task.entry_point)
        if code is None:
            attempt.verdict = NO_CODE
            conversation.no_code(reply)
            return
        async with Workspace(self.workspaces) as workspace:
            tools = ToolDispatcher(workspace.path)
            tools.write_file("solution.py", code)
            tools.write_file("test_solution.py", task.tests)
            finished = await self.verifier.verify(workspace.path, attempt)
        attempt.verdict = judge(finished.exit_code, finished.timed_out, finished.stdout)
        if attempt.verdict == TIMED_OUT:
            conversation.timed_out(reply)
        elif attempt.verdict != PASSED:
            conversation.tests_failed(reply, normalise(finished.stdout, finished.stderr, workspace.path))


async def run_agents(agent: Agent, tasks: Iterable[Task], agents: int, t_start: int | None = None) -> None:
    """Solve all tasks: all agents begin now, and each takes the next task when it is done with one.

    The tasks' starts count from `t_start`, CLOCK_MONOTONIC in ns, or from now.
    However this ends, the tasks under way and those that wait get their task event.
    """
    waiting = iter(tasks)
    begin = time.monotonic_ns() if t_start is None else t_start

    async def work() -> None:
        for task in waiting:
            try:
                await sleep_until(begin + task.start_after_ns)
            except asyncio.CancelledError:
                agent.emit(task_event(task.task_id, "error", 0, INTERRUPTED))
                raise
            await agent.solve(task)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(agents):
                group.create_task(work())
                # Whose connection is there sends its request before the next agent builds its messages.
                await asyncio.sleep(0)
    finally:
        for task in waiting:
            agent.emit(task_event(task.task_id, "error", 0, INTERRUPTED))


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def sleep_until(t: int) -> None:
    """Return at `t`, CLOCK_MONOTONIC in ns, or at once when it has passed; never before it."""
    # Timers may ring early: event loops count in floats, and uvloop in whole milliseconds.
    while (left_ns := t - time.monotonic_ns()) > 0:  # noqa: ASYNC110
        await asyncio.sleep(left_ns / 1e9)
