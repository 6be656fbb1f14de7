"""Names beside the ends of lines."""

from typing import Any

import altair as alt

from agentdyno.report.figures.marks import DESCRIPTION, STROKE
from agentdyno.report.figures.spread import LogScale, apart

LINE = 15
"""Pixels from one name to the next."""

GAP = 16


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
