"""Since when a verification slot was free for an attempt.

An attempt that waits while all slots are taken, or while those before it in line take the next ones, waits
for the tests of others, as the experiment wants it. Once a slot is free for it, it waits for its runtime.
"""

from collections.abc import Sequence
from heapq import heappush, heapreplace


def free_since(held: Sequence[tuple[int, int] | None], slots: int) -> dict[int, int]:
    """For each position in `held` the moment since when a slot was free for it, 0 if one always was.

    `held` are the times, from and to, for which attempts had one of the `slots`; None for one that had none.
    Slots go to attempts in the order in which these took them: each takes the one that was free first.
    """
    taken = sorted((span[0], position) for position, span in enumerate(held) if span is not None)
    since: dict[int, int] = {}
    ends: list[int] = []
    for begin, position in taken:
        span = held[position]
        assert span is not None
        if len(ends) < slots:
            heappush(ends, span[1])
            since[position] = 0
        else:
            since[position] = min(begin, heapreplace(ends, span[1]))
    return since
