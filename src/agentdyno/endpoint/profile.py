"""The latency profile: time to first token, and inter-token time."""

import math
import re
from array import array
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Self

from agentdyno.errors import UserError
from agentdyno.reading import read_toml
from agentdyno.shape import Json

LONGEST_S = 3600.0
WIDEST_SIGMA = 3.0

_UNITS_IN_A_SECOND = {"us": 1e6, "ms": 1e3, "s": 1.0}
"""Divisors and no factors, because 1876 / 1000 is the float nearest to 1.876, and 1876 × 0.001 is not."""

_INTERVAL = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>us|ms|s)(?:~(?P<sigma>\d+(?:\.\d+)?))?")
_HOW_INTERVAL = (
    "a time is a number and us, ms or s, with ~SIGMA for a log-normal spread, as in 300ms or 0.4s~0.25"
)


@dataclass(frozen=True, slots=True)
class Interval:
    """A time in seconds: always `median_s`, or log-normal around it when `sigma` is above 0.

    `sigma` is the standard deviation of the time's natural logarithm.
    """

    median_s: float
    sigma: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `300ms` or `0.4s~0.25`; raises `ValueError` with one line that says what is allowed."""
        found = _INTERVAL.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not a time: {_HOW_INTERVAL}")
        median_s = float(found["number"]) / _UNITS_IN_A_SECOND[found["unit"]]
        sigma = float(found["sigma"] or 0)
        if median_s > LONGEST_S or sigma > WIDEST_SIGMA:
            raise ValueError(
                f"{text!r} is out of range: at most {LONGEST_S:g} s, and a sigma of at most {WIDEST_SIGMA:g}"
            )
        return cls(median_s, sigma)

    def __str__(self) -> str:
        """The text that `parse` reads."""
        seconds = self.median_s
        text = f"{seconds:.9g}s" if seconds >= 1 or seconds == 0 else f"{seconds * 1e3:.9g}ms"
        return f"{text}~{self.sigma:g}" if self.sigma else text

    def draw_ns(self, random: Random) -> int:
        """One time in nanoseconds."""
        if not self.sigma:
            return round(self.median_s * 1e9)
        return round(self.median_s * math.exp(random.gauss(0.0, self.sigma)) * 1e9)


@dataclass(frozen=True, slots=True)
class Profile:
    """The speed of a reply: `ttft` to its first token, `itl` from each token to the next."""

    name: str
    ttft: Interval
    itl: Interval

    def offsets_ns(self, tokens: int, random: Random) -> "array[int]":
        """The due times of `tokens` tokens, in nanoseconds after the request's arrival; never decreasing."""
        due = self.ttft.draw_ns(random)
        offsets = array("q", [due])
        for _ in range(tokens - 1):
            due += self.itl.draw_ns(random)
            offsets.append(due)
        return offsets


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("instant", Interval(0.0), Interval(0.0)),
        Profile("steady", Interval(0.2), Interval(0.02)),
        Profile("chat-7b", Interval(0.4, 0.25), Interval(0.02, 0.2)),
        Profile("crowd", Interval(2.0), Interval(1.0)),
    )
}


def parse_profile(text: str) -> Profile:
    """Read a profile's name, `NAME:ttft=TIME,itl=TIME`, or the path of a `.toml` file with the same keys.

    NAME is a known profile, which gives a missing time, or a new name, which needs both times. In a file,
    `base = NAME` gives a missing time (default `instant`). Raises `UserError`.
    """
    if text.endswith(".toml"):
        return _from_file(Path(text))
    name, colon, changes = text.partition(":")
    pairs = [pair.partition("=") for pair in changes.split(",")] if colon else []
    return _changed(text, name, [(key, value) for key, _, value in pairs], where="profile")


def _from_file(path: Path) -> Profile:
    table = read_toml(path, dict[str, Json], f"give a TOML file with ttft and itl, or one of {_names()}")
    base = table.pop("base", "instant")
    return _changed(
        str(path), str(base), [(key, str(value)) for key, value in table.items()], where=f"{path}"
    )


def _changed(text: str, name: str, changes: list[tuple[str, str]], *, where: str) -> Profile:
    is_whole = {key for key, _ in changes} >= {"ttft", "itl"}
    if name not in PROFILES and not is_whole:
        raise UserError(
            f"{where}: {name!r} is not known; choose {_names()}, NAME:ttft=300ms,itl=40ms, or a .toml file"
        )
    profile = replace(PROFILES.get(name, PROFILES["instant"]), name=text)
    for key, value in changes:
        if key not in ("ttft", "itl"):
            raise UserError(
                f"{where}: {key!r} cannot be set; only ttft and itl can, as in {name}:ttft=300ms,itl=40ms"
            )
        try:
            interval = Interval.parse(value)
        except ValueError as error:
            raise UserError(f"{where}: {key}={error}") from None
        profile = replace(profile, ttft=interval) if key == "ttft" else replace(profile, itl=interval)
    return profile


def _names() -> str:
    return ", ".join(PROFILES)
