"""The script: the text of every reply of the simulated endpoint.

A reply depends on the seed, the task and the attempt, and on nothing else: not on the process, the machine
or the order of arrival. A passing reply holds the task's reference solution. A failing reply holds a module
that is made from the reference and fails the tests. `tasks.plan` says which attempts fail, and how.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from random import Random

from agentdyno.errors import UserError
from agentdyno.tasks import wrong_answers
from agentdyno.tasks.plan import Failure, keyed, plan
from agentdyno.tasks.task import Task

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

    def passes(self, task: Task, attempt: int) -> bool:
        """Whether the reply to `attempt` (from 1) at `task` passes the task's tests."""
        return self._plans[task.task_id].failure(attempt) is None

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
