"""What several commands take: numbers, and the folder of an experiment."""

import argparse
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from agentdyno.errors import UserError
from agentdyno.project import RESULTS

WHOLE = re.compile("[0-9]{1,18}")
SECONDS = "number of seconds"
T = TypeVar("T")


def whole(option: str, least: int) -> Callable[[str], int]:
    """A parser of the whole numbers from `least` up; a UserError names the option."""

    def parse(text: str) -> int:
        if not WHOLE.fullmatch(text) or int(text) < least:
            raise UserError(f"{option} must be a whole number of at least {least}, not {text!r}")
        return int(text)

    return parse


def several(parse: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """A parser of what `parse` takes, several with commas; one that comes again counts once."""
    return lambda text: tuple(dict.fromkeys(parse(word.strip()) for word in text.split(",")))


def above_0(option: str, what: str = "number") -> Callable[[str], float]:
    """A parser of finite numbers above 0; a UserError names the option and `what` it takes."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not 0 < value < math.inf:
            raise UserError(f"{option} must be a {what} above 0, not {text!r}")
        return value

    return parse


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
