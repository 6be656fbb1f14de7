"""What several commands take: numbers, and the folder of an experiment."""

import argparse
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from agentdyno.errors import UserError
from agentdyno.project import RESULTS

MOST_DIGITS = 18
WHOLE = re.compile(f"[0-9]{{1,{MOST_DIGITS}}}")
SECONDS = "number of seconds"
T = TypeVar("T")


def whole(option: str, least: int, most: int | None = None) -> Callable[[str], int]:
    """A parser of the whole numbers from `least` to `most`, or of at most 18 digits; a UserError names the
    option.
    """
    bounds = f"of at least {least}" if most is None else f"from {least} to {most}"

    def parse(text: str) -> int:
        if most is None and len(text) > MOST_DIGITS and text.isdecimal():
            raise UserError(f"{option} must be a whole number of at most {MOST_DIGITS} digits, not {text!r}")
        if not WHOLE.fullmatch(text) or int(text) < least or (most is not None and int(text) > most):
            raise UserError(f"{option} must be a whole number {bounds}, not {text!r}")
        return int(text)

    return parse


def several(parse: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """A parser of what `parse` takes, several with commas; one that comes again counts once."""
    return lambda text: tuple(dict.fromkeys(parse(word.strip()) for word in text.split(",")))


def above_0(option: str, what: str = "number") -> Callable[[str], float]:
    """A parser of finite numbers above 0; a UserError names the option and `what` it takes."""

    def parse(text: str) -> float:
        value = _finite(text)
        if value is None or value <= 0:
            raise UserError(f"{option} must be a {what} above 0, not {text!r}")
        return value

    return parse


def within(option: str, least: float, most: float, what: str = "number") -> Callable[[str], float]:
    """A parser of numbers from `least` to `most`; a UserError names the option and `what` it takes."""

    def parse(text: str) -> float:
        value = _finite(text)
        if value is None or not least <= value <= most:
            raise UserError(f"{option} must be a {what} from {least:.12g} to {most:.12g}, not {text!r}")
        return value

    return parse


def _finite(text: str) -> float | None:
    """The number that `text` says; None when it says none, or none that is finite."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def percentage(option: str) -> Callable[[str], float]:
    """A parser of percentages such as 5%, as a share; a UserError names the option."""

    def parse(text: str) -> float:
        found = re.fullmatch(r"(\d+(?:\.\d+)?)%", text)
        if found is None or not 0 < float(found[1]) <= 100:
            raise UserError(
                f"{option} must be a percentage above 0 and at most 100, as in {option} 5%, not {text!r}"
            )
        return float(found[1]) / 100

    return parse


def add_folder(parser: argparse.ArgumentParser) -> None:
    """Declare the argument that names an experiment."""
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=RESULTS / "latest",
        metavar="DIR",
        help="results of an experiment: its folder or its summary (default: results/latest)",
    )
