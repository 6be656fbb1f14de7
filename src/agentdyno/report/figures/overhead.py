"""The distribution of the overhead of attempts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy

from agentdyno.analysis.ledger import Entry
from agentdyno.analysis.metric import Kind
from agentdyno.analysis.ratio import FLOOR
from agentdyno.analysis.registry import METRICS, PERCENTILES
from agentdyno.format import figure
from agentdyno.report.figures.figure import Attempts, Chart, Figure, Group
from agentdyno.report.figures.marks import (
    COLOUR,
    DASH,
    DESCRIPTION,
    FILL,
    FILL_OPACITY,
    SHAPE,
    STROKE,
    LogScale,
    Style,
    around,
    caption,
    described,
    drawn,
    labelled,
)
from agentdyno.results.summary import Row

LEAST_MS = 0.001
"""The microsecond that the clocks tell apart; a logarithmic axis has no 0."""

COLUMNS = 2
WIDTH, WHOLE_WIDTH, HEIGHT = 272, 600, 150
LINE = 16
OVERHEAD = {name: METRICS[f"overhead_ms_{name}"] for name in PERCENTILES}
SHAPES = dict(zip(PERCENTILES, ("circle", "square", "triangle-up"), strict=True))


@dataclass(frozen=True, slots=True)
class _Distribution:
    """A row, its curve (ms, share of attempts), and the percentiles that the summary has of it, in ms."""

    row: Row
    style: Style
    curve: list[tuple[float, float]]
    percentiles: dict[str, float | None]

    @property
    def words(self) -> str:
        figures = " · ".join(figure(value) for value in self.percentiles.values())
        return labelled(self.row, f"{self.row.cell.runtime} {figures} ms", Kind.TIME)


def overhead(group: Group, styles: Mapping[str, Style], attempts: Attempts) -> Iterator[Figure]:
    """A panel for each language; rows whose files are gone, or that have no attempts, are left out."""
    found = [
        _Distribution(
            row,
            styles[row.cell.runtime],
            [(max(value, LEAST_MS), share) for value, share in quantiles(samples)],
            {name: row.metrics[metric.name].median for name, metric in OVERHEAD.items()},
        )
        for row in group.rows
        if (samples := _samples(attempts[row.cell]))
    ]
    if not found:
        return
    words = (
        "Up: the share of attempts whose overhead was no longer than what is to the right, on a logarithmic "
        "axis; further left is better. The circle, the square and the triangle, and the figures above, are "
        "p50, p95 and p99, medians over the runs. There is a panel for each language."
    )
    if any(each.row.cell.runtime == FLOOR for each in found):
        words += " Grey, in each of them: floor, the practical limit."
    yield Figure(
        name=f"overhead-{group.label}",
        title=f"Overhead of an attempt, {group.words}",
        caption=caption(words, group.rows, [each.row for each in found], Kind.TIME),
        chart=_chart(found),
        headings=["runtime", *(metric.heading for metric in OVERHEAD.values()), "most ms", "runs"],
        lines=[
            [
                each.row.cell.runtime,
                *(figure(value) for value in each.percentiles.values()),
                figure(each.curve[-1][0]),
                str(len(each.row.metrics[OVERHEAD["p50"].name].values)),
            ]
            for each in found
        ],
    )


def _samples(runs: Sequence[Sequence[Entry]]) -> list[list[float]]:
    """The overhead of each run's attempts, in ms; runs without any are left out."""
    return [[entry.overhead for entry in attempts] for attempts in runs if attempts]


def _chart(found: Sequence[_Distribution]) -> Chart:
    floor = [each for each in found if each.row.cell.runtime == FLOOR]
    contenders = [each for each in found if each not in floor]
    by_language: dict[str, list[_Distribution]] = {}
    for each in contenders or floor:
        by_language.setdefault(each.style.language, []).append(each)
    width = WIDTH if len(by_language) > 1 else WHOLE_WIDTH
    scale = around([value for each in found for value, _ in each.curve], width)
    panels = [_panel([*its, *floor] if contenders else its, scale) for its in by_language.values()]
    return alt.concat(*panels, columns=COLUMNS, spacing=24)


def _panel(its: Sequence[_Distribution], scale: LogScale) -> alt.LayerChart | alt.FacetChart:
    lines: list[dict[str, Any]] = []
    marks: list[dict[str, Any]] = []
    names = []
    for number, each in enumerate(its):
        figures = ", ".join(f"{name} {figure(value)} ms" for name, value in each.percentiles.items())
        common = {
            "runtime": each.row.cell.runtime,
            "description": described(each.row, f"overhead {figures}", Kind.TIME),
            **drawn(each.row, each.style, Kind.TIME),
        }
        lines += [common | {"ms": value, "share": share} for value, share in each.curve]
        marks += [
            common | {"ms": value, "share": PERCENTILES[name], "shape": SHAPES[name]}
            for name, value in each.percentiles.items()
            if value is not None
        ]
        names += _name(common | {"words": each.words}, LINE * (len(its) - number))
    ms = alt.X("ms:Q", title="overhead (ms, logarithmic)", scale=scale.altair, axis=scale.axis)
    share = alt.Y(
        "share:Q",
        title="share of attempts",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(values=[0, 0.5, 0.95], format="%"),
    )
    return alt.layer(
        alt.Chart(alt.InlineData(values=lines))
        .mark_line(strokeWidth=1.8)
        .encode(ms, share, COLOUR, DASH, DESCRIPTION, detail="runtime:N"),
        alt.Chart(alt.InlineData(values=marks))
        .mark_point(size=45, opacity=1)
        .encode(ms, share, STROKE, FILL, FILL_OPACITY, SHAPE, DESCRIPTION),
        *names,
    ).properties(width=scale.pixels, height=HEIGHT)


def _name(common: dict[str, Any], above: float) -> list[alt.Chart]:
    """A piece of the line, and whose it is, so far above the panel."""
    base = alt.Chart(alt.InlineData(values=[common])).encode(DESCRIPTION, y=alt.value(-above))
    return [
        base.mark_rule(strokeWidth=2).encode(STROKE, DASH, x=alt.value(0), x2=alt.value(24)),
        base.mark_text(style="word", align="left").encode(x=alt.value(30), text="words:N"),
    ]


STEPS = 200
"""From the least to the most; the percentiles of the summary are each a multiple of one step."""


def quantiles(runs: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    """Values, and the share of samples that are no larger, from 0 to 1.

    A value is the median over the runs of each run's own quantile (Hyndman and Fan's type 7), as the
    percentiles of the summary are, which therefore lie on this curve: the run is the replicate, not the
    sample. Each run must have samples.
    """
    shares = numpy.linspace(0, 1, STEPS + 1)
    values = numpy.median([numpy.quantile(samples, shares) for samples in runs], axis=0)
    return list(zip(values.tolist(), shares.tolist(), strict=True))
