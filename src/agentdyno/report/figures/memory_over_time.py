"""The memory of each runtime during a run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import altair as alt

from agentdyno.analysis.metric import Kind
from agentdyno.analysis.metrics import KIB_PER_MIB, NS_PER_S
from agentdyno.format import figure
from agentdyno.report.figures.figure import Chart, Figure, Group, median_run
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
    labelled,
)
from agentdyno.results.experiment import Experiment
from agentdyno.results.summary import Row
from agentdyno.rundata.raw_run import RawRun

WIDTH, HEIGHT = 500, 320
STRETCHES = 120


@dataclass(frozen=True, slots=True)
class Look:
    """One look of the sampler's: seconds after the run's start, and MiB held then and at most until then."""

    seconds: float
    mib: float
    peak_mib: float


def looks(run: RawRun) -> list[Look]:
    """What the sampler saw from the run's start on."""
    t_start = run.events.t_start
    return [
        Look(
            (sample.t - t_start) / NS_PER_S,
            sample.rss_kib / KIB_PER_MIB,
            sample.peak_rss_kib / KIB_PER_MIB,
        )
        for sample in run.samples
        if t_start is not None and sample.t >= t_start and sample.rss_kib
    ]


def thinned(its: Sequence[Look], stretches: int = STRETCHES) -> list[Look]:
    """The first look, and of each of so many stretches of the time the one that saw most, so that no peak is
    lost.
    """
    length = its[-1].seconds or 1.0
    most: dict[int, Look] = {}
    for look in its:
        stretch = min(int(look.seconds / length * stretches), stretches - 1)
        if stretch not in most or look.mib > most[stretch].mib:
            most[stretch] = look
    return list(dict.fromkeys([its[0], *most.values()]))


def peak(its: Sequence[Look]) -> Look:
    """The first look by which the runtime had held the most that it ever did."""
    return max(its, key=lambda look: look.peak_mib)


def memory_over_time(group: Group, styles: Mapping[str, Style], experiment: Experiment) -> Iterator[Figure]:
    """A line of the median run of each row whose files are there; nothing where there is none."""
    found = [
        (row, its)
        for row in group.rows
        if (run := median_run(experiment, row, "peak_rss_mib")) is not None and (its := looks(run.read()))
    ]
    if not found:
        return
    words = (
        "What the runtime's own processes held during the run with the median peak, without test processes, "
        f"on a logarithmic axis. Of each of {STRETCHES} stretches of a run the look that saw most is drawn; "
        "the mark is the peak, which the kernel keeps and looks can miss."
    )
    yield Figure(
        name=f"memory-over-time-{group.label}",
        title=f"Memory of the runtime itself during a run, {group.words}",
        caption=caption(words, group.rows, [row for row, _ in found], Kind.MEMORY),
        chart=_chart([(row, its, styles[row.cell.runtime]) for row, its in found]),
        headings=["runtime", "at the start MiB", "peak MiB", "after s", "at the end MiB", "run s"],
        lines=[
            [
                row.cell.runtime,
                figure(its[0].mib),
                figure(peak(its).peak_mib),
                figure(peak(its).seconds),
                figure(its[-1].mib),
                figure(its[-1].seconds),
            ]
            for row, its in found
        ],
    )


def _chart(found: Sequence[tuple[Row, Sequence[Look], Style]]) -> Chart:
    lines, peaks, ends = [], [], []
    for row, its, style in found:
        highest, few = peak(its), thinned(its)
        when = f"{figure(highest.seconds)} s of {figure(its[-1].seconds)} s"
        words = f"peak {figure(highest.peak_mib)} MiB after {when}"
        common = {
            "runtime": row.cell.runtime,
            "description": described(row, words, Kind.MEMORY),
            **drawn(row, style, Kind.MEMORY),
        }
        lines += [common | {"seconds": look.seconds, "mib": look.mib} for look in few]
        peaks.append(common | {"seconds": highest.seconds, "mib": highest.peak_mib})
        name = labelled(row, row.cell.runtime, Kind.MEMORY)
        ends.append(common | {"seconds": few[-1].seconds, "mib": few[-1].mib, "words": name})
    scale = around([mark["mib"] for mark in lines + peaks], HEIGHT)
    seconds = alt.X("seconds:Q", title="seconds after the start of the run", axis=alt.Axis(tickCount=6))
    mib = alt.Y("mib:Q", title="memory (MiB, logarithmic)", scale=scale.altair, axis=scale.axis)
    return alt.layer(
        alt.Chart(alt.InlineData(values=lines))
        .mark_line()
        .encode(seconds, mib, COLOUR, DASH, DESCRIPTION, detail="runtime:N"),
        alt.Chart(alt.InlineData(values=peaks))
        .mark_point(size=50, opacity=1)
        .encode(seconds, mib, STROKE, FILL, FILL_OPACITY, SHAPE, DESCRIPTION),
        beside(ends, "seconds", "mib", scale, WIDTH),
    ).properties(width=WIDTH, height=HEIGHT)
