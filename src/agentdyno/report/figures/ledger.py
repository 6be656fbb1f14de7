"""Where the wall time of attempts went."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import altair as alt

from agentdyno.analysis.ledger import FIGURES, Entry, means
from agentdyno.analysis.metric import Kind
from agentdyno.format import figure
from agentdyno.report.figures.figure import Attempts, Chart, Figure, Group
from agentdyno.report.figures.marks import (
    DESCRIPTION,
    FILL_OPACITY,
    OWN,
    OWN_PARTS,
    PHASES,
    caption,
    described,
    filled,
    labelled,
)
from agentdyno.results.summary import Row

WIDTH = 540
BAR = 22
ROOM_FOR_WORDS = 1.15

Means = Mapping[str, float]
"""The mean of each of FIGURES over the attempts of a row, in ms."""


def ledger(group: Group, attempts: Attempts) -> Iterator[Figure]:
    """Bars of whole attempts, and of the runtime's own part of them; rows whose files are gone, or that have
    no attempts, are left out.
    """
    found = [(row, its) for row in group.rows if (its := _means(attempts[row.cell])) is not None]
    if not found:
        return
    found.sort(key=lambda pair: pair[1]["overhead"])
    words = (
        "Means over all attempts, least overhead first. Above, who was at work; below, the same bars' last "
        f"piece, {OWN}, by itself: its own overhead, on an axis of its own."
    )
    yield Figure(
        name=f"ledger-{group.label}",
        title=f"Where the time of an attempt went, {group.words}",
        caption=caption(words, group.rows, [row for row, _ in found], Kind.TIME),
        chart=alt.vconcat(
            _bars(found, _whole, PHASES, "wall", "a whole attempt (ms)"),
            _bars(found, _own, OWN_PARTS, "overhead", "of it the runtime's own (ms)"),
        ).resolve_scale(fill="independent", stroke="independent"),
        headings=["runtime", *(f"{name} ms" for name in FIGURES)],
        lines=[[row.cell.runtime, *(figure(its[name]) for name in FIGURES)] for row, its in found],
    )


def _means(runs: Sequence[Sequence[Entry]]) -> Means | None:
    found = means(runs)
    return None if found is None else dict(zip(FIGURES, found, strict=True))


def _whole(its: Means) -> dict[str, float]:
    """Who was at work; the pieces sum to the wall time, as overhead is what the others leave of it."""
    return {name: its["overhead"] if name == OWN else its[name] for name in PHASES}


def _own(its: Means) -> dict[str, float]:
    return {name: its[name] for name in OWN_PARTS}


def _bars(
    found: Sequence[tuple[Row, Means]],
    pieces_of: Callable[[Means], Mapping[str, float]],
    colours: Mapping[str, str],
    total: str,
    title: str,
) -> Chart:
    """A bar a row of the pieces laid end to end, without those that are nothing in all rows, and the figure
    called `total` at its end.
    """
    parts = [part for part in colours if any(pieces_of(its)[part] for _, its in found)]
    pieces: list[dict[str, Any]] = []
    ends: list[dict[str, Any]] = []
    for row, its in found:
        end = 0.0
        common = {"runtime": row.cell.runtime, "filled": filled(row, Kind.TIME)}
        for part in parts:
            ms = pieces_of(its)[part]
            words = described(row, f"{part} {figure(ms)} ms, the mean of its attempts", Kind.TIME)
            pieces.append(
                common | {"part": part, "ms": ms, "from": end, "to": end + ms, "description": words}
            )
            end += ms
        words = described(row, f"{total} {figure(its[total])} ms, the mean of its attempts", Kind.TIME)
        ends.append(
            common
            | {"to": end, "words": labelled(row, f"{figure(its[total])} ms", Kind.TIME), "description": words}
        )
    longest = max(end["to"] for end in ends)
    scale = alt.Scale(domain=parts, range=[colours[part] for part in parts])
    runtime = alt.Y("runtime:N", sort=None, title=None)
    return alt.layer(
        alt.Chart(alt.InlineData(values=pieces))
        .mark_bar(height=alt.RelativeBandSize(0.7))
        .encode(
            runtime,
            alt.X(
                "from:Q",
                title=title,
                scale=alt.Scale(domain=[0, longest * ROOM_FOR_WORDS], nice=False),
                axis=alt.Axis(tickCount=5),
            ),
            alt.X2("to:Q"),
            alt.Fill("part:N", scale=scale, legend=alt.Legend(title=None, orient="top")),
            alt.Stroke("part:N", scale=scale, legend=None),
            FILL_OPACITY,
            DESCRIPTION,
        ),
        alt.Chart(alt.InlineData(values=ends))
        .mark_text(style="word", align="left", dx=5)
        .encode(runtime, alt.X("to:Q"), DESCRIPTION, text="words:N"),
    ).properties(width=WIDTH, height=BAR * len(found))
