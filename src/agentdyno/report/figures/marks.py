"""The marks of all figures: colour, dash and shape of a runtime, its name beside its line, its words."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from agentdyno.analysis.metric import Kind
from agentdyno.analysis.ratio import FLOOR
from agentdyno.analysis.registry import MetricDefinition
from agentdyno.format import counted
from agentdyno.results.summary import Row

Shades = tuple[str, str]
"""Two shades of one hue, each with a contrast of 3 at least to white and to near-black."""

GREY = "#757575"
"""Of `floor`, which is the limit and no contender."""

HUES: dict[str, Shades] = {
    "C++": ("#4671f0", "#7488f5"),
    "Rust": ("#b14a17", "#e46a4a"),
    "Go": ("#1f9f97", "#12808a"),
    "Python": ("#a08f12", "#7d7012"),
    "TypeScript": ("#9a4bbd", "#bf74d9"),
}
"""Of each language that has a runtime here. The first shades differ for colour-blind readers as well."""

SPARE: list[Shades] = [("#c2417c", "#dd6096"), ("#5d8f2c", "#477a1e"), ("#8f5f45", "#b07c5f")]
"""For other languages, in the order in which they come, over and over."""

DASHES: list[list[int]] = [[], [6, 3], [2, 2], [8, 3, 2, 3]]
SHAPES = ["circle", "square", "triangle-up", "diamond"]


@dataclass(frozen=True, slots=True)
class Style:
    """How a runtime is drawn: `colour` is that of its language, in one of two shades; with `dash` and `shape`
    it differs from other runtimes of the language.
    """

    language: str
    colour: str
    dash: list[int]
    shape: str


def palette(runtimes: Iterable[str], languages: Mapping[str, str]) -> dict[str, Style]:
    """The style of each runtime; `languages` are by runtime, and one whose language is not known has a hue of
    its own.
    """
    shades_of = dict(HUES)
    seen: dict[str, int] = {}
    spare = 0
    styles = {}
    for runtime in runtimes:
        language = languages.get(runtime, runtime)
        if runtime == FLOOR:
            styles[runtime] = Style(language, GREY, DASHES[0], SHAPES[0])
            continue
        if language not in shades_of:
            shades_of[language] = SPARE[spare % len(SPARE)]
            spare += 1
        variant = seen[language] = seen.get(language, -1) + 1
        styles[runtime] = Style(
            language,
            shades_of[language][variant % 2],
            DASHES[variant % len(DASHES)],
            SHAPES[variant % len(SHAPES)],
        )
    return styles


OWN = "runtime"

PHASES = {
    "model": "#4a78c8",
    "queue": "#a8892a",
    "verify": "#269a86",
    "transport": "#8a63c9",
    OWN: "#cb3556",
}
"""Who was at work; what no other was is the runtime's own, its overhead."""

OWN_PARTS = {
    "begin": "#8a55c8",
    "prompt": "#b08d1c",
    "send": "#c2457e",
    "stream": "#3f86c8",
    "extract": "#2f7d5f",
    "spawn": "#e0653a",
    "bookkeeping": "#7a7a7a",
}
"""The parts of it, in the order in which they come."""


FAINT = 0.2
"""How much of its colour a mark of a figure that is not valid is filled with."""

COLOUR = alt.Color("colour:N", scale=None)
FILL = alt.Fill("colour:N", scale=None)
STROKE = alt.Stroke("colour:N", scale=None)
FILL_OPACITY = alt.FillOpacity("filled:Q", scale=None)
DASH = alt.StrokeDash("dash:N", scale=None)
SHAPE = alt.Shape("shape:N", scale=None)
DESCRIPTION = alt.Description("description:N")
"""The page finds the marks of a runtime by what this begins with: its name and a comma."""


def described(row: Row, what: str, kind: Kind) -> str:
    """What is said of a mark of `row` for a figure of `kind`."""
    valid = "" if row.is_valid(kind) else "; not valid"
    return f"{row.cell.runtime}, {counted(row.cell.agents, 'agent')}: {what}{valid}"


def caption(words: str, rows: Sequence[Row], shown: Sequence[Row], kind: Kind) -> str:
    """The words, and whether figures of `kind` are not valid, and which of `rows` are not shown."""
    cells = {row.cell for row in shown}
    left_out = [row.cell.runtime for row in rows if row.cell not in cells]
    if not all(row.is_valid(kind) for row in shown):
        words += " Outlined and pale: the figure is not valid; the table of results says why."
    if left_out:
        words += f" Left out, as nothing is known of it: {', '.join(left_out)}."
    return words


def labelled(row: Row, words: str, kind: Kind) -> str:
    """What is written beside a mark of `row`."""
    return words if row.is_valid(kind) else f"{words}, INVALID"


def drawn(row: Row, style: Style, kind: Kind) -> dict[str, Any]:
    """The columns that the channels above take."""
    return {"colour": style.colour, "dash": style.dash, "shape": style.shape, "filled": filled(row, kind)}


def filled(row: Row, kind: Kind) -> float:
    """How much of its colour a mark of `row` is filled with."""
    return 1.0 if row.is_valid(kind) else FAINT


def with_ci95(metric: MetricDefinition, row: Row) -> str:
    """A row's median with its unit, and in parentheses its interval where there is one."""
    its = row.metrics[metric.name]
    return (
        f"{metric.with_unit(its.median)} ({metric.interval(its.ci95)})"
        if its.ci95
        else metric.with_unit(its.median)
    )


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
