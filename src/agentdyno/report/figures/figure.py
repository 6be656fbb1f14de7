"""What a figure is."""

from dataclasses import dataclass

import altair as alt

Chart = alt.LayerChart | alt.FacetChart | alt.ConcatChart | alt.VConcatChart
"""What Altair draws as a whole."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart, and the same in words and in a table for those who cannot see it.

    `name` serves as a file name and an anchor. `title` says what the figure shows, `caption` how to read it
    and what is left out of it. `headings` and `lines` are the table behind it: what the chart says, not every
    sample that it is drawn from.
    """

    name: str
    title: str
    caption: str
    chart: Chart
    headings: list[str]
    lines: list[list[str]]
