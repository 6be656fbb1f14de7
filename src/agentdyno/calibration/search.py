"""Finding the largest number for which something holds."""

import math
from collections.abc import Callable


def bracket(
    holds: Callable[[int], bool], *, start: int, least: int, most: int, precision: float
) -> tuple[int | None, int | None]:
    """A number for which `holds` and a larger one for which it does not, found by doubling, then bisecting.

    They are no further apart than the ratio 1 + `precision`, or 1. The first is None when it does not hold
    for `least`, the second when it does for `most`. Bisection is by the geometric mean, because precision is
    a ratio.
    """
    good: int | None = None
    bad: int | None = None
    at = start
    while True:
        if holds(at):
            good = at
        else:
            bad = at
        if good is None:
            if at == least:
                return None, bad
            at = max(least, at // 2)
        elif bad is None:
            if at == most:
                return good, None
            at = min(most, at * 2)
        elif bad <= good * (1 + precision) or bad - good == 1:
            return good, bad
        else:
            at = round(math.sqrt(good * bad))
