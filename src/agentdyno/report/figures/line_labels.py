"""Names beside the ends of lines."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from agentdyno.report.figures.marks import DESCRIPTION, STROKE

LINE = 15
"""Pixels from one name to the next."""

GAP = 16


@dataclass(frozen=True, slots=True)
class LogScale:
    """A logarithmic axis from `low` at the bottom to `high` at the top of `pixels`."""

    low: float
    high: float
    pixels: float

    def position(self, value: float) -> float:
        """Pixels above the bottom."""
        return self.pixels * math.log(value / self.low) / math.log(self.high / self.low)

    def value(self, position: float) -> float:
        """What lies so many pixels above the bottom."""
        return self.low * math.exp(math.log(self.high / self.low) * position / self.pixels)

    @property
    def altair(self) -> alt.Scale:
        """The same for a chart."""
        return alt.Scale(type="log", domain=[self.low, self.high], nice=False)

    @property
    def axis(self) -> alt.Axis:
        """An axis with ticks at round values."""
        return alt.Axis(values=self.ticks, format=",~r")

    @property
    def ticks(self) -> list[float]:
        """Round values: powers of ten and, the shorter the axis, some of their multiples."""
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        length = self.high / self.low
        steps = (1, 1.5, 2, 3, 4, 5, 7) if length <= 10 else (1, 2, 5) if length <= 1000 else (1,)
        every = [step * 10.0**decade for decade in decades for step in steps]
        return [value for value in every if self.low <= value <= self.high]


def around(values: Sequence[float], pixels: float) -> LogScale:
    """An axis that holds all values, which are above 0, with some room at both ends."""
    return LogScale(float(f"{min(values) / 1.25:.2g}"), float(f"{max(values) * 1.25:.2g}"), pixels)


def apart(positions: Sequence[float], least: float, end: float) -> list[float]:
    """The positions, moved as little as possible so that neighbours are `least` apart, in the same order and
    within 0 and `end` as far as there is room.

    With i × `least` taken from the i-th this is isotonic regression, which pooling adjacent violators solves.
    """
    order = sorted(range(len(positions)), key=lambda index: positions[index])
    pools: list[tuple[float, int]] = []
    for rank, index in enumerate(order):
        mean, size = positions[index] - rank * least, 1
        while pools and pools[-1][0] > mean:
            before, count = pools.pop()
            mean, size = (before * count + mean * size) / (count + size), size + count
        pools.append((mean, size))
    top = max(end - (len(positions) - 1) * least, 0.0)
    level = [min(max(mean, 0.0), top) for mean, size in pools for _ in range(size)]
    moved = [0.0] * len(positions)
    for rank, index in enumerate(order):
        moved[index] = level[rank] + rank * least
    return moved


def beside(
    ends: list[dict[str, Any]], x: str, y: str, scale: LogScale, width: float
) -> alt.LayerChart | alt.FacetChart:
    """For the end of each line, at its `x` and `y`, its `words` right of the plot, moved so that all can be
    read, and a thin line from one to the other.
    """
    places = apart([scale.position(end[y]) for end in ends], LINE, scale.pixels)
    placed = [end | {"beside": scale.value(place)} for end, place in zip(ends, places, strict=True)]
    base = alt.Chart(alt.InlineData(values=placed)).encode(description=DESCRIPTION)
    return alt.layer(
        base.mark_rule(strokeWidth=1.5).encode(
            alt.X(f"{x}:Q"), alt.Y(f"{y}:Q"), STROKE, x2=alt.value(width + GAP), y2=alt.Y2("beside:Q")
        ),
        base.mark_text(style="word", align="left", dx=4).encode(
            alt.Y("beside:Q"), x=alt.value(width + GAP), text=alt.Text("words:N")
        ),
    )
