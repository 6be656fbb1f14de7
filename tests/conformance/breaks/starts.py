"""Breaks of how agents wait for the starts of their tasks."""

import dataclasses
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from breaks.declare import Break


def _sleep(sleep: Callable[[Any, int], Awaitable[None]]) -> Callable[[], None]:
    """Wait by `sleep(ORIGINAL, T)` in place of `ORIGINAL(T)`."""

    def apply() -> None:
        from agentloop import agent

        original = agent.sleep_until
        agent.sleep_until = lambda t: sleep(original, t)  # type: ignore[assignment, return-value]

    return apply


async def _too_little(sleep_until: Any, t: int) -> None:
    await sleep_until(t - 500_000_000)


async def _not_at_all(sleep_until: Any, t: int) -> None:
    pass


async def _in_the_way_of_all(sleep_until: Any, t: int) -> None:
    time.sleep(max(0, t - time.monotonic_ns()) / 1e9)  # noqa: ASYNC251


async def _in_32_bits(sleep_until: Any, t: int) -> None:
    """Of milliseconds, as the timers of some languages count."""
    left_ns = t - time.monotonic_ns()
    await sleep_until(t if left_ns < 2**31 * 1_000_000 else 0)


def begins_at_once_and_says_otherwise() -> None:
    from agentloop.events import EventFile

    emit = EventFile.emit

    def emit_later_times(self: Any, event: Any) -> None:
        if event["event"] == "attempt":
            event = {
                name: value + 10**10 if name.startswith("t_") and value is not None else value
                for name, value in event.items()
            }
        emit(self, event)

    EventFile.emit = emit_later_times  # type: ignore[method-assign]
    _sleep(_not_at_all)()


def an_agents_first_task_only() -> None:
    from agentloop import run

    original = run.run_agents

    async def of_the_first(agent: Any, tasks: Any, agents: int, t_start: int) -> None:
        def first_starts() -> Iterator[Any]:
            for place, task in enumerate(tasks):
                yield task if place < agents else dataclasses.replace(task, start_after_ns=0)

        await original(agent, first_starts(), agents, t_start)

    run.run_agents = of_the_first


def counted_from_when_it_is_taken() -> None:
    from agentloop import run

    original = run.run_agents

    async def from_when_it_is_taken(agent: Any, tasks: Any, agents: int, t_start: int) -> None:
        def later() -> Iterator[Any]:
            for task in tasks:
                since_ns = time.monotonic_ns() - t_start
                yield dataclasses.replace(task, start_after_ns=since_ns + task.start_after_ns)

        await original(agent, later(), agents, t_start)

    run.run_agents = from_when_it_is_taken


def _values(read: Callable[[Any, str, Any], int]) -> Callable[[], None]:
    """Read the field by `read(FIELDS, NAME, ORIGINAL)`."""

    def apply() -> None:
        from agentloop import fields

        original = fields.Fields.nanoseconds
        fields.Fields.nanoseconds = (  # type: ignore[method-assign]
            lambda self, name: read(self, name, original)
        )

    return apply


def _nothing_is_0(fields: Any, name: str, original: Any) -> int:
    return original(fields, name) if fields._values.get(name, 0) is not None else 0


def _0_is_none(fields: Any, name: str, original: Any) -> int:
    if fields._values.get(name) == 0:
        raise fields.invalid(name, "an integer above 0")
    return int(original(fields, name))


def _any_integer(fields: Any, name: str, original: Any) -> int:
    return int(fields.integer(name, at_least=0)) if name in fields._values else 0


def an_attempt_is_counted() -> None:
    from agentloop import agent

    original = agent.task_event
    agent.task_event = lambda task_id, outcome, attempts, reason: original(
        task_id, outcome, max(1, attempts), reason
    )


def those_that_wait_are_forgotten() -> None:
    from agentloop.events import EventFile

    emit = EventFile.emit
    EventFile.emit = lambda self, event: (  # type: ignore[method-assign]
        None if event.get("attempts") == 0 else emit(self, event)
    )


BREAKS = [
    Break("run-file.starts", "early", "run-file.starts/one agent", _sleep(_too_little)),
    Break(
        "run-file.starts",
        "at once, with other times in the events",
        "run-file.starts/as many agents as tasks",
        begins_at_once_and_says_otherwise,
    ),
    Break(
        "run-file.starts",
        "an agent's first task only",
        "run-file.starts/more tasks than agents",
        an_agents_first_task_only,
    ),
    Break(
        "run-file.starts",
        "counted from when it is taken",
        "run-file.starts/past when the agent gets there",
        counted_from_when_it_is_taken,
    ),
    Break("run-file.starts", "0 is refused", "run-file.starts/absent and 0", _values(_0_is_none)),
    Break(
        "run-file.starts",
        "in the way of all",
        "run-file.starts/the others are not held up",
        _sleep(_in_the_way_of_all),
    ),
    Break(
        "run-file.starts",
        "timers of 32 bits",
        "run-file.starts/the others are not held up",
        _sleep(_in_32_bits),
    ),
    Break(
        "run-file.starts",
        "an attempt is counted",
        "run-file.starts/SIGTERM while agents wait",
        an_attempt_is_counted,
    ),
    Break(
        "run-file.starts",
        "forgotten",
        "run-file.starts/SIGINT while agents wait",
        those_that_wait_are_forgotten,
    ),
    Break("run-file.starts", "null is 0", "run-file.starts/values that are no start", _values(_nothing_is_0)),
    Break("run-file.starts", "of any size", "run-file.starts/2^63", _values(_any_integer)),
]
