"""When tasks are due: all at once, or on a schedule that waits for nobody."""

import re
from collections.abc import Callable, Sequence
from random import Random

from agentdyno.errors import UserError

Arrivals = Callable[[int, int], Sequence[int] | None]
"""The due times of so many tasks, with a seed: nanoseconds after the run's start, or None for all at once."""

AT_ONCE = "at-once"
_POISSON = re.compile(r"poisson:(?P<rate>[0-9]{1,9}(?:\.[0-9]{1,9})?)")


def parse_arrivals(text: str) -> Arrivals:
    """Read `at-once` or `poisson:RATE`; a UserError says what is allowed."""
    if text == AT_ONCE:
        return lambda count, seed: None
    found = _POISSON.fullmatch(text)
    if found is None or not float(found["rate"]):
        raise UserError(
            f"{text!r} is not known; give {AT_ONCE}, or poisson:RATE with a number of tasks a second above "
            "0, as in poisson:20"
        )
    return poisson(float(found["rate"]))


def poisson(rate: float) -> Arrivals:
    """`rate` tasks a second on average, each independent of all others: exponential gaps."""

    def due(count: int, seed: int) -> list[int]:
        draw = Random(seed)
        at, found = 0.0, []
        for _ in range(count):
            at += draw.expovariate(rate)
            found.append(round(at * 1e9))
        return found

    return due
