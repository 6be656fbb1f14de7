"""How figures look, and what they are written as."""

import textwrap
from enum import Enum
from typing import Any

import altair as alt
import vl_convert

from agentdyno.report.figures.figure import Figure

SCALE = 2.0
"""Pixels of a PNG for each of the figure's."""

FONT_SIZE = 12
"""Of all words, in the figure's own pixels."""

WIDTH = 100
"""Of a line of the caption, in characters."""


class Theme(Enum):
    """What a figure is drawn for; the value is the colour of its text and lines.

    PAGE has no background and takes the colour of the text around it, be that dark or light. PAPER is dark on
    white, for files of their own.
    """

    PAGE = "currentColor"
    PAPER = "#1a1a1a"


def svg(figure: Figure, theme: Theme) -> str:
    """The figure as an `<svg>` element that needs nothing else."""
    drawn: str = vl_convert.vegalite_to_svg(_specification(figure, theme), vl_version=_version())
    return drawn


def png(figure: Figure) -> bytes:
    """The figure on white, with `SCALE` pixels to each of its own."""
    drawn: bytes = vl_convert.vegalite_to_png(
        _specification(figure, Theme.PAPER), vl_version=_version(), scale=SCALE
    )
    return drawn


def _specification(figure: Figure, theme: Theme) -> dict[str, Any]:
    """A figure in a file of its own says itself what the page says above and below it."""
    said = {"padding": 12, "title": _title(figure)} if theme is Theme.PAPER else {}
    return figure.chart.to_dict() | said | {"config": _config(theme)}


def _title(figure: Figure) -> dict[str, Any]:
    return {"text": figure.title, "subtitle": textwrap.wrap(figure.caption, WIDTH), "anchor": "start"}


def _version() -> str:
    """The version of Vega-Lite that Altair writes, as "6.1"."""
    return ".".join(alt.VEGALITE_VERSION.removeprefix("v").split(".")[:2])


def _config(theme: Theme) -> dict[str, Any]:
    """Text, axes and the styles `ink` (lines) and `word` (text) in the theme's colour."""
    ink = theme.value
    words = {"labelColor": ink, "titleColor": ink, "labelFontSize": FONT_SIZE, "titleFontSize": FONT_SIZE}
    return {
        "background": None if theme is Theme.PAGE else "white",
        "font": "sans-serif",
        "view": {"stroke": None},
        "axis": {
            **words,
            "titleFontWeight": "normal",
            "domainColor": ink,
            "domainOpacity": 0.5,
            "tickColor": ink,
            "tickOpacity": 0.5,
            "gridColor": ink,
            "gridOpacity": 0.15,
            "labelLimit": 200,
        },
        "legend": {**words, "symbolStrokeWidth": 0},
        "text": {"fontSize": FONT_SIZE},
        "title": {
            "color": ink,
            "subtitleColor": ink,
            "fontSize": FONT_SIZE + 2,
            "subtitleFontSize": FONT_SIZE,
            "subtitlePadding": 6,
            "offset": 14,
        },
        "style": {"ink": {"color": ink}, "word": {"color": ink}},
    }
