"""Which attempts fail, and how.

Over 100 tasks exactly 87 pass at the first attempt, 9 recover (5 after one failure, 2 after two, 2 after
three) and 4 never pass. With three retries at most that is 0.27 retries a task and 31 failing replies, one of
which is an endless loop. Other numbers of tasks are served in proportion.
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle, islice

from agentdyno.endpoint.draw import keyed, rank

FIRST_ATTEMPT_PERCENT = 87
NEVER_PERCENT = 4
FAILURES_OF_THE_NEVER_PASSING = 4
"""How many failures are laid down for a task that never passes; after these it goes on with wrong answers."""

_FAILURES_BEFORE_RECOVERY = (1, 2, 1, 3, 1, 1, 2, 3, 1)


class Failure(StrEnum):
    """How a reply fails."""

    WRONG_ANSWER = "wrong_answer"
    EXCEPTION = "exception"
    SYNTAX_ERROR = "syntax_error"
    NO_CODE = "no_code"
    WRONG_NAME = "wrong_name"
    ENDLESS_LOOP = "endless_loop"


_DECK = (
    [Failure.WRONG_ANSWER] * 18
    + [Failure.EXCEPTION] * 5
    + [Failure.SYNTAX_ERROR] * 3
    + [Failure.NO_CODE] * 2
    + [Failure.WRONG_NAME] * 2
    + [Failure.ENDLESS_LOOP]
)
"""The 31 failing replies of 100 tasks; dealt rather than drawn, so that every seed costs the same time."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What happens to one task: the failures of its first attempts, and whether it passes after them."""

    failures: tuple[Failure, ...] = ()
    passes: bool = True

    def failure(self, attempt: int) -> Failure | None:
        """How `attempt` (from 1) fails, or None when it passes."""
        if attempt <= len(self.failures):
            return self.failures[attempt - 1]
        return None if self.passes else Failure.WRONG_ANSWER


def _percent(share: int, count: int) -> int:
    return (share * count + 50) // 100


def plan(task_ids: list[str], seed: int) -> dict[str, Fate]:
    """The fate of every task; it depends on the set of task ids and on the seed, not on their order."""
    ranked = rank(seed, task_ids)
    passing = _percent(FIRST_ATTEMPT_PERCENT, len(ranked))
    never = _percent(NEVER_PERCENT, len(ranked))
    recovering = len(ranked) - passing - never

    fates = {task_id: Fate() for task_id in ranked[:passing]}
    deck = keyed(seed, "failures").sample(_DECK, len(_DECK))
    failures = cycle(deck)
    for task_id, count in zip(
        ranked[passing : passing + recovering], cycle(_FAILURES_BEFORE_RECOVERY), strict=False
    ):
        fates[task_id] = Fate(tuple(islice(failures, count)))
    for task_id in ranked[passing + recovering :]:
        fates[task_id] = Fate(tuple(islice(failures, FAILURES_OF_THE_NEVER_PASSING)), passes=False)
    return fates
