"""Since when a verification slot was free for an attempt.

An attempt that waits while all slots are taken, or while those before it in line take the next ones, waits
for the tests of others, as the experiment wants it. Once a slot is free for it, it waits for its runtime.
"""

from array import array
from collections.abc import Sequence
from heapq import heappush, heapreplace

UNKNOWN = -1
"""No moment."""


def free_since(spawned: Sequence[int], ended: Sequence[int], slots: int) -> "array[int]":
    """For each attempt the moment since when a slot was free for it, 0 if one always was.

    An attempt had one of the `slots` from `spawned` to `ended`; `spawned` and the result are UNKNOWN for one
    that had none. Slots go to attempts in the order in which these took them: each takes the one that was
    free first.
    """
    since = array("q", [UNKNOWN]) * len(ended)
    ends: list[int] = []
    had_one = (place for place, begin in enumerate(spawned) if begin != UNKNOWN)
    for place in sorted(had_one, key=spawned.__getitem__):
        if len(ends) < slots:
            heappush(ends, ended[place])
            since[place] = 0
        else:
            since[place] = min(spawned[place], heapreplace(ends, ended[place]))
    return since
