"""What the marks of all figures have in common: how a runtime is drawn, and what is said of it."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from agentdyno.analysis.registry import MetricDefinition
from agentdyno.format import counted
from agentdyno.report.figures.palette import Style
from agentdyno.results.summary import Row

FAINT = 0.2
"""How much of its colour a mark of a row that is not valid is filled with."""

COLOUR = alt.Color("colour:N", scale=None)
FILL = alt.Fill("colour:N", scale=None)
STROKE = alt.Stroke("colour:N", scale=None)
FILL_OPACITY = alt.FillOpacity("filled:Q", scale=None)
DASH = alt.StrokeDash("dash:N", scale=None)
SHAPE = alt.Shape("shape:N", scale=None)
DESCRIPTION = alt.Description("description:N")
"""The page finds the marks of a runtime by what this begins with: its name and a comma."""


def described(row: Row, what: str) -> str:
    """What is said of a mark of `row`."""
    valid = "" if row.valid else "; not valid"
    return f"{row.cell.runtime}, {counted(row.cell.agents, 'agent')}: {what}{valid}"


def caption(words: str, rows: Sequence[Row], shown: Sequence[Row]) -> str:
    """The words, and what is not valid of the rows that are shown, and which of `rows` are not shown."""
    cells = {row.cell for row in shown}
    left_out = [row.cell.runtime for row in rows if row.cell not in cells]
    if not all(row.valid for row in shown):
        words += " Outlined and pale: the row is not valid; the table of results says why."
    if left_out:
        words += f" Left out, as nothing is known of it: {', '.join(left_out)}."
    return words


def labelled(row: Row, words: str) -> str:
    """What is written beside a mark of `row`."""
    return words if row.valid else f"{words}, INVALID"


def drawn(row: Row, style: Style) -> dict[str, Any]:
    """The columns that the channels above take."""
    return {"colour": style.colour, "dash": style.dash, "shape": style.shape, "filled": filled(row)}


def filled(row: Row) -> float:
    """How much of its colour a mark of `row` is filled with."""
    return 1.0 if row.valid else FAINT


def with_ci95(metric: MetricDefinition, row: Row) -> str:
    """A row's median with its unit, and in parentheses its interval where there is one."""
    its = row.metrics[metric.name]
    return (
        f"{metric.with_unit(its.median)} ({metric.interval(its.ci95)})"
        if its.ci95
        else metric.with_unit(its.median)
    )
