"""The script: which attempts pass or fail, and the text of every reply.

Of 100 tasks, exactly 87 pass at the first attempt, 9 recover (5 after one failure, 2 after two, 2 after
three) and 4 never pass. With at most three retries that is 0.27 retries a task and 31 failing replies, one
of them an endless loop. Other numbers of tasks get the same proportions.

A reply depends on the seed, the task and the attempt, and on nothing else: not on the process, the machine
or the order of arrival. A passing reply holds the task's reference solution. A failing reply holds a module
that is made from the reference and fails the tests.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from itertools import cycle, islice
from random import Random

from agentdyno.errors import UserError
from agentdyno.tasks import wrong_answers
from agentdyno.tasks.task import Task

FIRST_ATTEMPT_PERCENT = 87
NEVER_PERCENT = 4
FAILURES_OF_THE_NEVER_PASSING = 4
"""The number of planned failures of a task that never passes; every later attempt is a wrong answer."""

_FAILURES_BEFORE_RECOVERY = (1, 2, 1, 3, 1, 1, 2, 3, 1)


def keyed(*key: str | int) -> Random:
    """A generator for `key`, seeded with its SHA-256; `hash()` would differ between processes."""
    digest = hashlib.sha256(json.dumps(key).encode()).digest()
    return Random(int.from_bytes(digest, "big"))


def rank(seed: int, names: list[str]) -> list[str]:
    """`names` in an order that depends on `seed` and the names, not on their order."""
    return sorted(names, key=lambda name: hashlib.sha256(json.dumps([seed, name]).encode()).digest())


class Failure(StrEnum):
    """How a reply fails."""

    WRONG_ANSWER = "wrong_answer"
    EXCEPTION = "exception"
    SYNTAX_ERROR = "syntax_error"
    NO_CODE = "no_code"
    WRONG_NAME = "wrong_name"
    ENDLESS_LOOP = "endless_loop"


_FAILURES_OF_100_TASKS = (
    [Failure.WRONG_ANSWER] * 18
    + [Failure.EXCEPTION] * 5
    + [Failure.SYNTAX_ERROR] * 3
    + [Failure.NO_CODE] * 2
    + [Failure.WRONG_NAME] * 2
    + [Failure.ENDLESS_LOOP]
)
"""The 31 failing replies of 100 tasks; shuffled and not drawn, so that every seed takes the same time."""


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """The plan of one task: the failures of its first attempts, and whether it passes after them."""

    failures: tuple[Failure, ...] = ()
    passes: bool = True

    def failure(self, attempt: int) -> Failure | None:
        """How `attempt` (from 1) fails; None if it passes."""
        if attempt <= len(self.failures):
            return self.failures[attempt - 1]
        return None if self.passes else Failure.WRONG_ANSWER


def _percent(share: int, count: int) -> int:
    return (share * count + 50) // 100


def plan(task_ids: list[str], seed: int) -> dict[str, TaskPlan]:
    """The plan of every task; it depends on the set of task ids and on the seed, not on their order."""
    ranked = rank(seed, task_ids)
    passing = _percent(FIRST_ATTEMPT_PERCENT, len(ranked))
    never = _percent(NEVER_PERCENT, len(ranked))
    recovering = len(ranked) - passing - never

    plans = {task_id: TaskPlan() for task_id in ranked[:passing]}
    shuffled = keyed(seed, "failures").sample(_FAILURES_OF_100_TASKS, len(_FAILURES_OF_100_TASKS))
    failures = cycle(shuffled)
    for task_id, count in zip(
        ranked[passing : passing + recovering], cycle(_FAILURES_BEFORE_RECOVERY), strict=False
    ):
        plans[task_id] = TaskPlan(tuple(islice(failures, count)))
    for task_id in ranked[passing + recovering :]:
        plans[task_id] = TaskPlan(tuple(islice(failures, FAILURES_OF_THE_NEVER_PASSING)), passes=False)
    return plans


_OPENINGS = (
    "Here is the complete module:",
    "Here\u2019s a solution that follows the specification:",
    "The idea is simple \u2014 go through the input once and keep what is needed.",
    "Let me write this step by step, taking care of the edge cases first.",
    "This follows directly from the examples (na\u00efve, but clear \u2705):",
    "",
)
_APOLOGIES = (
    "You\u2019re right, that was wrong. Here is the corrected module:",
    "I see the mistake \u2014 the failing test shows it. Corrected:",
    "Thanks for the output. This version should handle that case \u2192",
    "Sorry about that! The whole module again, fixed:",
)
_CLOSINGS = (
    "",
    "",
    "It runs in linear time.",
    "Let me know if you\u2019d like an explanation of any step.",
    "All examples in the docstring hold \u2713",
)
_TAGS = ("python", "python", "python", "py", "Python", "python3", "")
_WITHOUT_CODE = (
    "I think the function should walk through its input, keep the best value so far, and return it at the "
    "end. Would you like me to write that down as code?",
    "Before I write this, could you clarify what should happen when the input is empty? The specification "
    "leaves it open \u2014 I\u2019d rather ask than guess.",
    "The approach:\n\n1. check the edge cases,\n2. go through the values once,\n3. return the result.\n\n"
    "This takes O(n) time and O(1) extra space.",
)

_WRONG_MODULES: dict[Failure, Callable[[Task], str]] = {
    Failure.EXCEPTION: wrong_answers.raising,
    Failure.SYNTAX_ERROR: wrong_answers.syntax_error,
    Failure.WRONG_NAME: wrong_answers.wrong_name,
    Failure.ENDLESS_LOOP: wrong_answers.endless_loop,
}


class Script:
    """The reply to every attempt at every task.

    Raises `UserError` if a task has no reference solution, because every reply is made from it.
    """

    def __init__(self, tasks: list[Task], seed: int) -> None:
        for task in tasks:
            if task.reference is None:
                raise UserError(
                    f"task {task.task_id} has no reference solution, which the simulated endpoint needs: "
                    "give tasks with the field `reference`, or relay to a real model with --upstream URL"
                )
        self._seed = seed
        self._plans = plan([task.task_id for task in tasks], seed)

    def attempts(self, task: Task) -> range:
        """The planned attempts at `task`: until it passes, or until its planned failures end."""
        planned = self._plans[task.task_id]
        return range(1, len(planned.failures) + (2 if planned.passes else 1))

    def reply(self, task: Task, attempt: int) -> str:
        """The whole text of the reply to `attempt` (from 1) at `task`."""
        draw = keyed(self._seed, task.task_id, attempt, "text")
        failure = self._plans[task.task_id].failure(attempt)
        if failure is Failure.NO_CODE:
            return draw.choice(_WITHOUT_CODE)
        return _reply_with(_module(task, failure, attempt), draw, first=attempt == 1)


def _reply_with(module: str, draw: Random, *, first: bool) -> str:
    fence = "```"
    while fence in module:
        fence += "`"
    opening = draw.choice(_OPENINGS if first else _APOLOGIES)
    closing = draw.choice(_CLOSINGS)
    block = f"{fence}{draw.choice(_TAGS)}\n{module.rstrip()}\n{fence}"
    return "\n\n".join(part for part in (opening, block, closing) if part)


def _module(task: Task, failure: Failure | None, attempt: int) -> str:
    if failure is None:
        return task.reference or ""
    problem = replace(task, task_id=task.task_id.partition("#")[0])
    return _wrong_module(problem, failure, attempt)


@lru_cache(maxsize=4096)
def _wrong_module(problem: Task, failure: Failure, attempt: int) -> str:
    # Made once for all repetitions of a task, because it takes about a millisecond.
    if failure is Failure.WRONG_ANSWER:
        return wrong_answers.wrong_answer(problem, attempt)
    return _WRONG_MODULES[failure](problem)
