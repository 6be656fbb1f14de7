"""Cells and the order in which they are run."""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

REAL = "real:"
"""What the profile of a cell begins with when the endpoint is a real one; its model's name follows."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination of what is varied; all runs of a cell make one row of the table."""

    runtime: str
    agents: int
    verifier: str
    profile: str

    @property
    def label(self) -> str:
        """A name that serves as a folder's name; of a long profile, such as a path, it holds the end."""
        profile = re.sub(r"[^A-Za-z0-9._-]", "-", self.profile)[-60:]
        return f"{self.runtime}-{self.agents}-{self.verifier}-{profile}"


def blocks(cells: Sequence[Cell], repeats: int, seed: int) -> Iterator[tuple[int, Cell]]:
    """(block, cell) for every run: each block runs every cell once, in an order drawn from `seed`.

    A slow drift of the machine then falls on all cells alike instead of on those that come last.
    """
    draw = random.Random(seed)
    for block in range(1, repeats + 1):
        for cell in draw.sample(cells, len(cells)):
            yield block, cell
