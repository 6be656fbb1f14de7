"""What the tests of figures read off a chart."""

import xml.etree.ElementTree as ElementTree
from typing import Any

from agentdyno.report.figures import Figure, Theme, svg


def data(figure: Figure, *columns: str) -> list[dict[str, Any]]:
    """The rows of the chart's data that have all these columns."""
    sets = figure.chart.to_dict()["datasets"].values()
    return [row for rows in sets for row in rows if all(column in row for column in columns)]


def texts(figure: Figure) -> list[str]:
    """All that is written in the chart."""
    root = ElementTree.fromstring(svg(figure, Theme.PAGE))
    return [text for element in root.iter("{http://www.w3.org/2000/svg}text") if (text := element.text)]


def descriptions(figure: Figure) -> list[str]:
    """What marks are described as; axes and legends are no marks."""
    root = ElementTree.fromstring(svg(figure, Theme.PAGE))
    return [
        words
        for element in root.iter()
        if element.get("aria-roledescription") not in ("axis", "legend")
        and (words := element.get("aria-label"))
    ]
