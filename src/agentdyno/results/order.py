"""The order of an experiment's runs, which follows from its cells, its controls and its seed."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from agentdyno.rundata.cell import DRIFT_CHECK, Cell


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
