"""The plan of the simulated endpoint's script: which attempts pass or fail, and how they fail.

Of 100 tasks, exactly 87 pass at the first attempt, 9 recover (5 after one failure, 2 after two, 2 after
three) and 4 never pass. With at most three retries that is 0.27 retries a task and 31 failing replies, one
of them an endless loop. Other numbers of tasks get the same proportions.
"""

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle, islice
from random import Random

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

    plans = dict.fromkeys(ranked[:passing], TaskPlan())
    shuffled = keyed(seed, "failures").sample(_FAILURES_OF_100_TASKS, len(_FAILURES_OF_100_TASKS))
    failures = cycle(shuffled)
    for task_id, count in zip(
        ranked[passing : passing + recovering], cycle(_FAILURES_BEFORE_RECOVERY), strict=False
    ):
        plans[task_id] = TaskPlan(tuple(islice(failures, count)))
    for task_id in ranked[passing + recovering :]:
        plans[task_id] = TaskPlan(tuple(islice(failures, FAILURES_OF_THE_NEVER_PASSING)), passes=False)
    return plans
