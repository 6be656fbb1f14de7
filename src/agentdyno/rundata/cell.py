"""Cells and the order in which they are run."""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

REAL = "real:"
"""What the profile of a cell begins with when the endpoint is a real one; its model's name follows."""

AA_CONTROL = "twin"
"""A control: the first cell entered twice, in every block. It must tie with itself (an A/A test)."""

UNSAMPLED = "unsampled"
"""A control: the first cell without the sampler, in every block; it shows what sampling takes."""

DRIFT_CHECK = "sentinel"
"""A control: the very first run once more, when all others are over. It must not have drifted."""

CONTROLS = (AA_CONTROL, DRIFT_CHECK, UNSAMPLED)


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination of what is varied; all runs of a cell make one row of the table.

    `control` is empty in cells that are measured for their own sake.
    """

    runtime: str
    agents: int
    verifier: str
    profile: str
    control: str = ""

    @property
    def label(self) -> str:
        """A name that serves as a folder's name; of a long profile, such as a path, it holds the end."""
        profile = re.sub(r"[^A-Za-z0-9._-]", "-", self.profile)[-60:]
        control = f"-{self.control}" if self.control else ""
        return f"{self.runtime}-{self.agents}-{self.verifier}-{profile}{control}"


def with_controls(cells: Sequence[Cell], controls: Sequence[str]) -> list[Cell]:
    """The cells of a block: those that are asked for, and the controls that every block has."""
    return [*cells, *(replace(cells[0], control=name) for name in controls if name != DRIFT_CHECK)]


def blocks(cells: Sequence[Cell], seed: int) -> Iterator[list[Cell]]:
    """Block after block, without end: each holds every cell once, in an order drawn from `seed`.

    A slow drift of the machine then falls on all cells alike instead of on those that come last.
    """
    draw = random.Random(seed)
    while True:
        yield draw.sample(cells, len(cells))
