"""The agents of one run over time."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import altair as alt

from agentdyno.analysis.metric import Kind
from agentdyno.analysis.metrics import NS_PER_S
from agentdyno.analysis.ratio import FLOOR
from agentdyno.analysis.slots import Span, slots
from agentdyno.errors import UserError
from agentdyno.format import counted, figure, percent
from agentdyno.report.figures.figure import Chart, Figure, median_run, slug
from agentdyno.report.figures.marks import DESCRIPTION, OWN, PHASES
from agentdyno.results.experiment import Experiment
from agentdyno.results.records import Run
from agentdyno.results.summary import Row
from agentdyno.rundata.events import Attempt
from agentdyno.rundata.raw_run import RawRun

WIDTH = 620
MOST_LANES = 200
LANE, HEIGHT = 12.0, 480.0
"""Pixels of a lane where there are few, and of all together at most."""

FILLED = 0.8
"""How much of its height a lane fills."""


def chosen(experiment: Experiment, name: str | None, rows: Sequence[Row]) -> Run | None:
    """The run whose folder has this name. Without one: of the first of `rows` whose times are valid and that
    is not the floor's, or else of the first, the run with the median wall time, or None where its files are
    gone.
    """
    if name is None:
        wanted = [row for row in rows if row.is_valid(Kind.TIME) and row.cell.runtime != FLOOR] or rows
        return median_run(experiment, wanted[0], "wall_s") if wanted else None
    for run in experiment.all_runs:
        if run.folder.name == name:
            return run
    names = [run.folder.name for run in experiment.all_runs]
    example = f", as {names[0]}" if names else ""
    raise UserError(
        f"--run {name}: no such run in {experiment.path}; name one as its folder is called{example}"
    )


def swim_lanes(run: Run, *, valid: bool) -> Iterator[Figure]:
    """A lane for each agent; nothing where no task was begun. A UserError where the run's files are gone."""
    data = run.read()
    slot_of = slots(data)
    if not slot_of or data.events.t_start is None:
        return
    lanes = max(slot_of.values()) + 1
    shown = evenly(lanes, MOST_LANES)
    cell, agents = run.cell, counted(run.cell.agents, "agent")
    caption = (
        f"Run {run.folder.name}. A lane is an agent, and its colour who was at work for it: the model, "
        "nobody while it waited in the queue for a verification slot, the verifier, or the runtime itself, "
        "which is mostly too short to be seen. Where there is no colour, the agent had no task."
    )
    if len(shown) < lanes:
        caption += f" {len(shown):,} of {lanes:,} agents are shown, evenly chosen."
    if not valid:
        caption += " The times of this run are not valid; the table of results says why."
    yield Figure(
        name=f"swim-lanes-{slug(run.folder.name)}",
        title=f"The agents of {cell.runtime} over time, {agents}, verifier {cell.verifier}",
        caption=caption,
        chart=_chart(_spans(data, slot_of, {slot: lane for lane, slot in enumerate(shown)}), len(shown)),
        headings=["at work", "seconds of all agents", "share"],
        lines=_shares(data.events.attempts),
    )


def evenly(many: int, most: int) -> list[int]:
    """All of so many numbers from 0 up, or `most` of them with like distances."""
    return list(range(many)) if many <= most else [number * many // most for number in range(most)]


def phases(attempt: Attempt) -> dict[str, Span]:
    """When others were at work for an attempt, in ns; a phase that did not come to its end is left out.

    The tries that failed are counted as right before the request that did not.
    """
    times = {
        "model": (attempt.t_request, attempt.t_last),
        "queue": (attempt.t_queue, attempt.t_spawn),
        "verify": (attempt.t_started, attempt.t_exit),
    }
    if attempt.transport_ns and attempt.t_request is not None:
        times["transport"] = max(attempt.t_begin, attempt.t_request - attempt.transport_ns), attempt.t_request
    return {
        phase: (begin, end) for phase, (begin, end) in times.items() if begin is not None and end is not None
    }


def _spans(run: RawRun, slot_of: Mapping[str, int], lane_of_slot: Mapping[int, int]) -> list[dict[str, Any]]:
    """What is drawn: each attempt as the runtime's own, and upon it what others did."""
    t_start = run.events.t_start or 0
    spans = []
    for attempt in run.events.attempts:
        lane = lane_of_slot.get(slot_of[attempt.task])
        if lane is None:
            continue
        whole = {OWN: (attempt.t_begin, attempt.t_end)}
        for phase, (begin, end) in (whole | phases(attempt)).items():
            what = f"attempt {attempt.attempt}, {attempt.verdict}" if phase == OWN else phase
            from_s, to_s = (begin - t_start) / NS_PER_S, (end - t_start) / NS_PER_S
            when = f"{from_s:.2f} to {to_s:.2f} s"
            spans.append(
                {
                    "lane": lane,
                    "end": lane + FILLED,
                    "from": round(from_s, 4),
                    "to": round(to_s, 4),
                    "phase": phase,
                    "description": f"{run.cell.runtime}, {attempt.task}: {what}, {when}",
                }
            )
    return spans


def _shares(attempts: Sequence[Attempt]) -> list[list[str]]:
    """What all attempts, drawn or not, spent on what."""
    spent = dict.fromkeys(PHASES, 0)
    for attempt in attempts:
        spent[OWN] += attempt.t_end - attempt.t_begin
        for phase, (begin, end) in phases(attempt).items():
            spent[phase] += end - begin
            spent[OWN] -= end - begin
    total = sum(spent.values()) or 1
    return [[phase, figure(ns / NS_PER_S), percent(ns / total)] for phase, ns in spent.items() if ns]


def _chart(spans: list[dict[str, Any]], lanes: int) -> Chart:
    seen = {span["phase"] for span in spans}
    colours = {phase: colour for phase, colour in PHASES.items() if phase in seen}
    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    return alt.layer(
        alt.Chart(alt.InlineData(values=spans))
        .mark_rect()
        .encode(
            alt.X("from:Q", title="seconds after the start of the run", axis=alt.Axis(tickCount=8)),
            alt.X2("to:Q"),
            alt.Y(
                "lane:Q",
                title="agents, a lane each",
                scale=alt.Scale(domain=[0, lanes], reverse=True, nice=False),
                axis=alt.Axis(labels=False, ticks=False, grid=False),
            ),
            alt.Y2("end:Q"),
            alt.Fill("phase:N", scale=scale, legend=alt.Legend(title=None, orient="top")),
            DESCRIPTION,
        )
    ).properties(width=WIDTH, height=min(LANE * lanes, HEIGHT))
