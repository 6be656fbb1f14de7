"""What a sweep has found of each runtime: the cost of an agent, and the ceiling."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console

from agentdyno.analysis.binding import NOTHING, UNKNOWN, Binding
from agentdyno.analysis.ceiling import Ceiling, Objective, ceiling
from agentdyno.analysis.gates import ENOUGH
from agentdyno.analysis.measured import MeasuredRun
from agentdyno.analysis.slope import Slope, slope
from agentdyno.report.counted import counted
from agentdyno.report.summary import Row
from agentdyno.report.tables import INVALID, MISSING, Column, say, show_columns

HEADINGS = {
    "peak\nMiB": ("peak_rss_mib", 1.0, ".1f"),
    "tasks/s\n": ("tasks_per_s", 1.0, ".1f"),
    "CPU\nms/task": ("cpu_s_per_task", 1000.0, ".2f"),
    "overhead\np50 ms": ("overhead_ms_p50", 1.0, ".1f"),
    "\np99 ms": ("overhead_ms_p99", 1.0, ".1f"),
    "in\nflight": ("max_in_flight", 1.0, ".0f"),
    "endpoint\nlate p99": ("endpoint_lateness_ms_p99", 1.0, ".1f"),
    "its\nCPU": ("endpoint_cpu_share", 1.0, ".0%"),
}
"""The metric of each column, what it is multiplied with, and how it is written."""

GOES_FIRST = ("its CPU", "endpoint late p99", "in flight", "tasks/s", "CPU ms/task", "p99 ms")
"""What may be left out, the least important first."""

NOT_VALID = (
    f"{INVALID} not valid: above the ceiling, with fewer attempts than percentiles take, or as said below; "
    "table.md has every reason"
)


@dataclass(frozen=True, slots=True)
class Point:
    """One number of agents: the medians of its runs, and whether its row is valid."""

    agents: int
    metrics: dict[str, float | None]
    valid: bool


@dataclass(frozen=True, slots=True)
class Swept:
    """One runtime with one verifier.

    `objective_ms` is what the p99 of its overhead may be, `most_agents` for how many the hard limit on open
    files leaves room, None where there is no limit.
    """

    runtime: str
    verifier: str
    objective_ms: float
    most_agents: int | None
    points: list[Point]
    memory: Slope | None
    ceiling: Ceiling


def swept(
    runtime: str,
    verifier: str,
    rows: Sequence[Row],
    runs: Sequence[MeasuredRun],
    objective: Objective,
    most_agents: int | None,
) -> Swept:
    """What the rows and runs of `runtime` with `verifier` say; those of controls are left out."""
    contender = (runtime, verifier, "")
    its = [run for run in runs if (run.cell.runtime, run.cell.verifier, run.cell.control) == contender]
    # Fewer requests than agents take less memory, which is no property of an agent.
    peaks = [
        (run.cell.agents, peak)
        for run in its
        if run.is_sound and not run.interrupted and (peak := run.metrics["peak_rss_mib"]) is not None
    ]
    points = [
        Point(row.cell.agents, {name: metric.median for name, metric in row.metrics.items()}, row.valid)
        for row in rows
        if (row.cell.runtime, row.cell.verifier, row.cell.control) == contender
    ]
    return Swept(
        runtime=runtime,
        verifier=verifier,
        objective_ms=objective.overhead_ms,
        most_agents=most_agents,
        points=sorted(points, key=lambda point: point.agents),
        memory=slope([agents for agents, _ in peaks], [peak for _, peak in peaks]),
        ceiling=ceiling(its, objective),
    )


def print_sweep(console: Console, found: Sequence[Swept], rows: Sequence[Row]) -> None:
    """Print a table of each runtime, the cost of an agent and the ceiling below it, and what is wrong."""
    for each in found:
        title = f"{each.runtime} against agents, verifier {each.verifier}"
        show_columns(console, title, _columns(each), GOES_FIRST, [point.valid for point in each.points])
        for line in sentences(each):
            say(console, line)
    if not all(point.valid for each in found for point in each.points):
        say(console, NOT_VALID)
    for line in complaints(found, rows):
        say(console, line, "red")


def sweep_markdown(found: Sequence[Swept]) -> str:
    """The same for a README or an issue."""
    lines = []
    for each in found:
        headings = map(_name, HEADINGS)
        lines += [
            f"| {each.runtime}, verifier {each.verifier}: agents | {' | '.join(headings)} |",
            "| ---: " * (1 + len(HEADINGS)) + "|",
        ]
        lines += [f"| {point.agents:,} | {' | '.join(_figures(point))} |" for point in each.points]
        lines += ["", *(f"- {line}" for line in sentences(each)), ""]
    return "\n".join(lines)


def complaints(found: Sequence[Swept], rows: Sequence[Row]) -> list[str]:
    """What is wrong below the ceilings, where nothing should be; few attempts are no fault of few agents."""
    kept = {(each.runtime, each.verifier): each.ceiling.kept for each in found}
    return [
        row.complaint(failure)
        for row in rows
        if row.cell.agents <= kept.get((row.cell.runtime, row.cell.verifier), 0)
        for failure in row.failures
        if failure.gate != ENOUGH
    ]


def sentences(each: Swept) -> list[str]:
    """The cost of an agent and the ceiling, in words."""
    name = f"{each.runtime}, verifier {each.verifier}"
    return [f"{name}: {_cost(each.memory)}", f"{name}: {_ceiling(each)}"]


def _cost(memory: Slope | None) -> str:
    if memory is None:
        return "the cost of an agent takes three numbers of agents or more at which nothing is wrong"
    low, high = memory.ci95
    return (
        f"{memory.kib_per_agent:.1f} KiB an agent (95% interval {low:.1f} to {high:.1f}), "
        f"above {memory.intercept_mib:.1f} MiB"
    )


def _ceiling(each: Swept) -> str:
    found = each.ceiling
    objective = f"all in flight, no errors, overhead p99 of {each.objective_ms:g} ms or less"
    if not found.kept and found.broken is None:
        return "no run was whole, so there is no ceiling to tell"
    if found.broken is None:
        kept = f"keeps the objective ({objective}) up to {counted(found.kept, 'agent')}"
        if found.kept != each.most_agents:
            return f"{kept}, the most tried"
        return (
            f"{kept}; the hard limit on open files (`ulimit -Hn`) leaves room for no more, so this is not "
            "the runtime's ceiling: raise it to go on"
        )
    kept = counted(found.kept, "agent")
    reached = (
        f"keeps the objective ({objective}) up to {kept} and not with {found.broken:,}"
        if found.kept
        else f"does not keep the objective ({objective}) with {counted(found.broken, 'agent')}"
    )
    return f"{reached}, where {'; '.join(found.reasons)}: {_gives_out(found.binding)}"


def _gives_out(bound: Binding | None) -> str:
    if bound is None:
        return "what gives out is not known"
    if bound.cause == UNKNOWN:
        return f"what gives out is not known ({bound.evidence})"
    if bound.cause == NOTHING:
        return f"{NOTHING} ({bound.evidence})"
    if bound.is_runtimes:
        return f"what gives out is {bound.cause} ({bound.evidence})"
    return (
        f"what gives out first is not the runtime but: {bound.cause} ({bound.evidence}); "
        "this is not the runtime's ceiling"
    )


def _columns(each: Swept) -> list[Column]:
    agents = [f"{point.agents:,}{'' if point.valid else f' {INVALID}'}" for point in each.points]
    figures = zip(*map(_figures, each.points), strict=True)
    return [
        Column("agents", "agents\n", agents),
        *(
            Column(_name(heading), heading, list(cells))
            for heading, cells in zip(HEADINGS, figures, strict=True)
        ),
    ]


def _name(heading: str) -> str:
    return " ".join(heading.split())


def _figures(point: Point) -> list[str]:
    figures = []
    for metric, scale, form in HEADINGS.values():
        value = point.metrics[metric]
        figures.append(MISSING if value is None else format(value * scale, form))
    return figures
