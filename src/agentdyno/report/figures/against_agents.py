"""A metric against the number of agents, both on logarithmic axes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from agentdyno.report.figures.beside import beside
from agentdyno.report.figures.figure import Chart
from agentdyno.report.figures.group import Group
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
    with_interval,
)
from agentdyno.report.figures.palette import Style
from agentdyno.report.figures.spread import around

Layer = alt.Chart | alt.LayerChart | alt.FacetChart


@dataclass(frozen=True, slots=True)
class Plotted:
    """What is up: a metric, called `title` on the axis and `what` in descriptions, in `unit`, written in
    `form`. The axis holds the values of `also` too.
    """

    metric: str
    title: str
    what: str
    unit: str
    form: str
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
    points: list[dict[str, Any]] = []
    ends: list[dict[str, Any]] = []
    for runtime, rows in group.by_runtime().items():
        its = [
            {
                "runtime": runtime,
                "agents": row.cell.agents,
                "value": metric.median,
                "low": (metric.ci95 or (metric.median,))[0],
                "high": (metric.ci95 or (metric.median,))[-1],
                "description": described(
                    row, f"{plotted.what} {with_interval(metric, plotted.form, plotted.unit)}"
                ),
                **drawn(row, styles[runtime]),
            }
            for row in rows
            if (metric := row.metrics[plotted.metric]).median
        ]
        points += its
        if its:
            ends.append(its[-1] | {"words": names[runtime], "description": names[runtime]})
    # A lower end of 0 or less, which only few runs that differ widely have, is not on a logarithmic axis.
    lowest = min(point["value"] for point in points) / 10
    points = [point | {"low": max(point["low"], lowest)} for point in points]
    agents = around(group.agents, width)
    scale = around([point[end] for point in points for end in ("low", "high")] + list(plotted.also), height)
    base = alt.Chart(alt.InlineData(values=points)).encode(
        alt.X(
            "agents:Q",
            title="agents (logarithmic)",
            scale=agents.altair,
            axis=agents.axis,
        ),
        alt.Y(
            "value:Q",
            title=f"{plotted.title} ({plotted.unit}, logarithmic)",
            scale=scale.altair,
            axis=scale.axis,
        ),
        DESCRIPTION,
    )
    return alt.layer(
        *others,
        base.mark_line(strokeWidth=1.8).encode(COLOUR, DASH, detail="runtime:N"),
        base.mark_rule(strokeWidth=1.5).encode(STROKE, alt.Y("low:Q"), alt.Y2("high:Q")),
        base.mark_point(size=50, opacity=1).encode(STROKE, FILL, FILL_OPACITY, SHAPE),
        beside(ends, "agents", "value", scale, width),
    ).properties(width=width, height=height)
