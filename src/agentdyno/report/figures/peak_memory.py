"""Peak memory of each runtime, with intervals."""

from collections.abc import Iterator, Mapping
from typing import Any

import altair as alt

from agentdyno.analysis.registry import METRICS
from agentdyno.analysis.statistics import LEAST_REPLICATES
from agentdyno.report.figures.figure import Chart, Figure, Group
from agentdyno.report.figures.marks import (
    COLOUR,
    DESCRIPTION,
    FILL_OPACITY,
    STROKE,
    Style,
    caption,
    described,
    drawn,
    labelled,
    with_ci95,
)
from agentdyno.results.summary import Metric, Row

METRIC = METRICS["peak_rss_mib"]
WIDTH = 540
BAR = 26
ROOM_FOR_WORDS = 1.45
"""How much longer than the longest bar the axis is, so that what stands at its end has room."""


def peak_memory(group: Group, styles: Mapping[str, Style]) -> Iterator[Figure]:
    """Bars of the median over the runs, least first; nothing where no row has a figure."""
    found = [
        (row, row.metrics[METRIC.name]) for row in group.rows if row.metrics[METRIC.name].median is not None
    ]
    if not found:
        return
    found.sort(key=lambda pair: pair[1].median or 0.0)
    yield Figure(
        name=f"peak-memory-{group.label}",
        title=f"Peak memory of the runtime itself, {group.words}",
        caption=caption(_words(found), group.rows, [row for row, _ in found], METRIC.kind),
        chart=_chart([_bar(row, metric, styles[row.cell.runtime]) for row, metric in found]),
        headings=["runtime", METRIC.heading, "95% CI", "runs", "valid"],
        lines=[
            [
                row.cell.runtime,
                METRIC.shown(metric.median),
                METRIC.interval(metric.ci95),
                str(len(metric.values)),
                "yes" if row.has_valid(METRIC.name) else "no",
            ]
            for row, metric in found
        ],
    )


def _words(found: list[tuple[Row, Metric]]) -> str:
    words = (
        "The most memory that the runtime's own processes held (VmHWM), without test processes: shorter is "
        "better. "
    )
    if all(metric.ci95 is None for _, metric in found):
        words += f"There is no 95% CI: it takes {LEAST_REPLICATES} runs of each row."
    else:
        words += "Bars are medians over the runs, the lines on them 95% CIs."
    return words


def _bar(row: Row, metric: Metric, style: Style) -> dict[str, Any]:
    low, high = metric.ci95 or (metric.median, metric.median)
    words = with_ci95(METRIC, row)
    return {
        "runtime": row.cell.runtime,
        "peak": metric.median,
        "low": low,
        "high": high,
        "words": labelled(row, words, METRIC.kind),
        "description": described(row, f"{METRIC.label} {words}", METRIC.kind),
        **drawn(row, style, METRIC.kind),
    }


def _chart(bars: list[dict[str, Any]]) -> Chart:
    longest = max(bar["high"] for bar in bars)
    scale = alt.Scale(domain=[0, longest * ROOM_FOR_WORDS], nice=False)
    base = alt.Chart(alt.InlineData(values=bars)).encode(
        alt.Y("runtime:N", sort=None, title=None), description=DESCRIPTION
    )
    peak = alt.X(
        "peak:Q", title=f"{METRIC.label} ({METRIC.shown_in})", scale=scale, axis=alt.Axis(tickCount=5)
    )
    return alt.layer(
        base.mark_bar(height=alt.RelativeBandSize(0.7)).encode(peak, COLOUR, STROKE, FILL_OPACITY),
        base.mark_rule(style="ink", strokeWidth=2).encode(alt.X("low:Q"), alt.X2("high:Q")),
        base.mark_text(style="word", align="left", dx=6).encode(alt.X("high:Q"), text="words:N"),
    ).properties(width=WIDTH, height=BAR * len(bars))
