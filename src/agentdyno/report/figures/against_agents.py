"""A metric against the number of agents, both on logarithmic axes; and so the memory of one more agent."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from agentdyno.analysis.registry import METRICS, MetricDefinition
from agentdyno.analysis.statistics import Slope, slope
from agentdyno.format import MISSING, counted, figure, interval
from agentdyno.report.figures.figure import Chart, Figure, Group
from agentdyno.report.figures.marks import (
    COLOUR,
    DASH,
    DESCRIPTION,
    FILL,
    FILL_OPACITY,
    SHAPE,
    STROKE,
    Style,
    around,
    beside,
    caption,
    described,
    drawn,
    with_ci95,
)
from agentdyno.results.summary import Row
from agentdyno.results.sweep import Swept

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
            "description": described(row, f"{metric.label} {with_ci95(metric, row)}", metric.kind),
            "line": line,
            **drawn(row, style, metric.kind),
        }
        for row, its in found
        if (median := its.median)
    ]


MEMORY = METRICS["peak_rss_mib"]
SIZE = (410, 320)


def memory_against_agents(
    group: Group, styles: Mapping[str, Style], found: Sequence[Swept]
) -> Iterator[Figure]:
    """Peak memory against agents, with the slopes that the sweep has found, or, without one, those of the
    rows; nothing for a single number of agents.
    """
    if not has_points(group, MEMORY.name):
        return
    told = {each.runtime: each.memory for each in found if each.verifier == group.verifier}
    slopes = told or {runtime: _slope(rows) for runtime, rows in group.by_runtime().items()}
    names = {runtime: _name(runtime, slopes.get(runtime)) for runtime in group.by_runtime()}
    words = (
        "The peak of the runtime's own processes, medians over the runs. A line that is flat on the left and "
        "rises on the right is a fixed cost and then a cost an agent, which is written at its end: the slope "
        "of a straight line through all runs."
    )
    yield Figure(
        name=f"memory-against-agents-{group.label}",
        title=f"Peak memory against agents, {group.words}",
        caption=caption(words, group.rows, group.rows, MEMORY.kind),
        chart=against_agents(group, styles, Plotted(MEMORY), names, SIZE),
        headings=["runtime", "agents", MEMORY.heading, "95% CI", "valid", "KiB an agent", "95% CI"],
        lines=[
            [
                runtime,
                f"{row.cell.agents:,}",
                MEMORY.shown(metric.median),
                MEMORY.interval(metric.ci95),
                "yes" if row.has_valid(MEMORY.name) else "no",
                *_cost(slopes.get(runtime)),
            ]
            for runtime, rows in group.by_runtime().items()
            for row in rows
            for metric in [row.metrics[MEMORY.name]]
        ],
    )


def _slope(rows: Sequence[Row]) -> Slope | None:
    """Through the runs of all rows with which nothing is wrong."""
    runs = [
        (row.cell.agents, peak)
        for row in rows
        if row.is_sound
        for peak in row.metrics[MEMORY.name].values
        if peak is not None
    ]
    return slope([agents for agents, _ in runs], [peak for _, peak in runs])


def _name(runtime: str, cost: Slope | None) -> str:
    return runtime if cost is None else f"{runtime}, {figure(cost.kib_per_agent)} KiB an agent"


def _cost(cost: Slope | None) -> list[str]:
    if cost is None:
        return [MISSING, MISSING]
    return [figure(cost.kib_per_agent), interval(cost.ci95)]
