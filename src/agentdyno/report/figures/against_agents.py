"""A metric against the number of agents, both on logarithmic axes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from agentdyno.analysis.registry import MetricDefinition
from agentdyno.format import counted
from agentdyno.report.figures.figure import Chart
from agentdyno.report.figures.group import Group
from agentdyno.report.figures.line_labels import around, beside
from agentdyno.report.figures.marks import (
    COLOUR,
    DASH,
    DESCRIPTION,
    FILL,
    FILL_OPACITY,
    SHAPE,
    STROKE,
    described,
    drawn,
    with_ci95,
)
from agentdyno.report.figures.palette import Style
from agentdyno.results.summary import Row

Layer = alt.Chart | alt.LayerChart | alt.FacetChart


@dataclass(frozen=True, slots=True)
class Plotted:
    """What is up: a metric, in the unit shown; the axis holds the values of `also` as well."""

    metric: MetricDefinition
    also: Sequence[float] = ()


def has_points(group: Group, metric: str) -> bool:
    """Whether there is something to see: the metric at two numbers of agents or more."""
    return len({row.cell.agents for row in group.rows if row.metrics[metric].median}) > 1


def against_agents(
    group: Group,
    styles: Mapping[str, Style],
    plotted: Plotted,
    names: Mapping[str, str],
    size: tuple[int, int],
    others: Sequence[Layer] = (),
) -> Chart:
    """A line for each runtime through the medians of its rows, with their intervals, and its name of `names`
    beside its end; `others` are drawn below.
    """
    width, height = size
    lines = [
        points
        for runtime, rows in group.by_runtime().items()
        if (points := _points(rows, plotted, styles[runtime]))
    ]
    every = [point for points in lines for point in points]
    ends = [
        points[-1] | {"words": names[points[-1]["runtime"]], "description": points[-1]["line"]}
        for points in lines
    ]
    agents = around(group.agents, width)
    scale = around([*plotted.also, *(point[end] for point in every for end in ("low", "high"))], height)
    title = f"{plotted.metric.label} ({plotted.metric.shown_in}, logarithmic)"
    base = alt.Chart(alt.InlineData(values=every)).encode(
        alt.X("agents:Q", title="agents (logarithmic)", scale=agents.altair, axis=agents.axis),
        alt.Y("value:Q", title=title, scale=scale.altair, axis=scale.axis),
        DESCRIPTION,
    )
    return alt.layer(
        *others,
        base.mark_line(strokeWidth=1.8).encode(COLOUR, DASH, alt.Description("line:N"), detail="runtime:N"),
        base.transform_filter("datum.low < datum.high")
        .mark_rule(strokeWidth=1.5)
        .encode(STROKE, alt.Y("low:Q"), alt.Y2("high:Q")),
        base.mark_point(size=50, opacity=1).encode(STROKE, FILL, FILL_OPACITY, SHAPE),
        beside(ends, "agents", "value", scale, width),
    ).properties(width=width, height=height)


def _points(rows: Sequence[Row], plotted: Plotted, style: Style) -> list[dict[str, Any]]:
    """The rows of one runtime that have a figure; `line` is what is said of all of them."""
    metric = plotted.metric
    found = [(row, its) for row in rows if (its := row.metrics[metric.name]).median]
    if not found:
        return []
    (first, lowest), (last, highest) = found[0], found[-1]
    line = (
        f"{first.cell.runtime}, {first.cell.agents:,} to {counted(last.cell.agents, 'agent')}: "
        f"{metric.label} {metric.shown(lowest.median)} to {metric.with_unit(highest.median)}"
    )
    return [
        {
            "runtime": row.cell.runtime,
            "agents": row.cell.agents,
            "value": median * metric.scale,
            "low": (its.ci95 or (median,))[0] * metric.scale,
            "high": (its.ci95 or (median,))[-1] * metric.scale,
            "description": described(row, f"{metric.label} {with_ci95(metric, row)}"),
            "line": line,
            **drawn(row, style),
        }
        for row, its in found
        if (median := its.median)
    ]
