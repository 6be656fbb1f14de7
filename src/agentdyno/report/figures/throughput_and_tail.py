"""How many agents there can be, and what gives out."""

from collections.abc import Iterator, Mapping, Sequence

import altair as alt

from agentdyno.analysis.metric import Kind
from agentdyno.analysis.registry import METRICS
from agentdyno.format import MISSING, counted
from agentdyno.report.figures.against_agents import Layer, Plotted, against_agents, has_points
from agentdyno.report.figures.figure import Chart, Figure, Group
from agentdyno.report.figures.marks import DASH, DESCRIPTION, STROKE, Style, caption
from agentdyno.results.sweep import Swept, sentences

THROUGHPUT = METRICS["tasks_per_s"]
TAIL = METRICS["overhead_ms_p99"]
SIZE = (500, 190)
ROOM_FOR_NAMES = 120
LINE = 17


def throughput_and_tail(
    group: Group, styles: Mapping[str, Style], found: Sequence[Swept]
) -> Iterator[Figure]:
    """Tasks a second and the p99 of overhead against agents, with the capacities that the sweep has found;
    nothing for a single number of agents.
    """
    if not has_points(group, THROUGHPUT.name):
        return
    swept = [each for each in found if each.verifier == group.verifier]
    yield Figure(
        name=f"throughput-and-tail-{group.label}",
        title=f"Throughput and overhead against agents, {group.words}",
        caption=caption(_words(group, swept), group.rows, group.rows, Kind.TIME),
        chart=_chart(group, styles, swept),
        headings=["runtime", "agents", THROUGHPUT.heading, TAIL.heading, "valid", "capacity"],
        lines=[
            [
                runtime,
                f"{row.cell.agents:,}",
                THROUGHPUT.shown(rate),
                TAIL.shown(row.metrics[TAIL.name].median),
                "yes" if row.has_valid(TAIL.name) else "no",
                next((cause(each) for each in swept if each.runtime == runtime), MISSING),
            ]
            for runtime, rows in group.by_runtime().items()
            for row in rows
            for rate in [row.metrics[THROUGHPUT.name].median]
        ],
    )


def cause(each: Swept) -> str:
    """The capacity and what gave out, in a line; the sentences of the sweep say more."""
    kept, broken, bound = each.capacity.kept, each.capacity.broken, each.capacity.bottleneck
    if broken is None and kept == 0:
        return "no run was whole"
    if broken is None and kept == each.most_agents:
        limit = "the limit on open files allows no more, which is not the runtime's capacity"
        return f"{counted(kept, 'agent')}; {limit}"
    if broken is None:
        return f"{counted(kept, 'agent')} or more: the most tried"
    reached = f"{counted(kept, 'agent')}, not {broken:,}" if kept else f"not even {counted(broken, 'agent')}"
    if bound is None:
        return f"{reached}: what gives out is not known"
    whose = "" if bound.is_runtimes else ", which is not the runtime's capacity"
    return f"{reached}: {bound.cause}{whose}"


def _words(group: Group, swept: Sequence[Swept]) -> str:
    words = "Tasks per second: higher is better."
    if has_points(group, TAIL.name):
        words += " The p99 of the overhead of attempts, which takes 100 of them: lower is better."
    if swept:
        words += (
            " A diamond with a line down from it is a capacity, the most agents with which the runtime keeps "
            "the objective; the line is dotted where what gave out first was not the runtime. The words "
            "below name it. The level line is what the overhead may be."
        )
    return words


def _chart(group: Group, styles: Mapping[str, Style], swept: Sequence[Swept]) -> Chart:
    names = {runtime: runtime for runtime in group.by_runtime()}
    limits = sorted({each.objective_ms for each in swept})

    def panel(plotted: Plotted, *others: Layer) -> Chart:
        capacities = _capacities(group, styles, swept, plotted.metric.name)
        return against_agents(group, styles, plotted, names, SIZE, [*capacities, *others])

    panels = [panel(Plotted(THROUGHPUT))]
    if has_points(group, TAIL.name):
        tail = Plotted(TAIL, also=limits)
        panels.append(panel(tail, *(layer for limit in limits for layer in _level(limit))))
    if swept:
        panels.append(_causes(swept, styles))
    return alt.vconcat(*panels)


def _capacities(
    group: Group, styles: Mapping[str, Style], swept: Sequence[Swept], metric: str
) -> list[Layer]:
    """Where on the lines of `metric` the capacities are that have been found."""
    medians = {(row.cell.runtime, row.cell.agents): row.metrics[metric].median for row in group.rows}
    capacities = [
        {
            "agents": each.capacity.kept,
            "value": value,
            "colour": styles[each.runtime].colour,
            "dash": [] if bound is None or bound.is_runtimes else [2, 3],
            "description": sentences(each)[1],
        }
        for each in swept
        for bound in [each.capacity.bottleneck]
        if each.capacity.broken is not None and (value := medians.get((each.runtime, each.capacity.kept)))
    ]
    if not capacities:
        return []
    base = alt.Chart(alt.InlineData(values=capacities)).encode(
        alt.X("agents:Q"), alt.Y("value:Q"), STROKE, DESCRIPTION
    )
    return [
        base.mark_rule(strokeWidth=2).encode(DASH, y2=alt.value(SIZE[1])),
        base.mark_point(shape="diamond", size=260, strokeWidth=2, opacity=1),
    ]


def _level(limit_ms: float) -> list[Layer]:
    """What the overhead may be."""
    limit = {"ms": limit_ms, "words": f"objective {limit_ms:g} ms"}
    base = alt.Chart(alt.InlineData(values=[limit])).encode(alt.Y("ms:Q"))
    return [
        base.mark_rule(style="ink", strokeDash=[2, 2], aria=False),
        base.mark_text(style="word", align="left", dx=4, dy=-7).encode(x=alt.value(0), text="words:N"),
    ]


def _causes(swept: Sequence[Swept], styles: Mapping[str, Style]) -> Chart:
    """A line below for each runtime."""
    lines = [
        {
            "place": LINE * (number + 0.5),
            "words": f"{each.runtime}: {cause(each)}",
            "colour": styles[each.runtime].colour,
            "description": sentences(each)[1],
        }
        for number, each in enumerate(swept)
    ]
    height = LINE * len(lines)
    place = alt.Y("place:Q", scale=alt.Scale(domain=[0, height], reverse=True), axis=None)
    base = alt.Chart(alt.InlineData(values=lines)).encode(place, DESCRIPTION)
    return alt.layer(
        base.mark_rule(strokeWidth=3).encode(STROKE, x=alt.value(0), x2=alt.value(16)),
        base.mark_text(style="word", align="left", limit=SIZE[0] + ROOM_FOR_NAMES).encode(
            x=alt.value(22), text="words:N"
        ),
    ).properties(width=SIZE[0], height=height)
