"""What a sweep has found of each runtime: the cost of an agent, and the ceiling."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from agentdyno.analysis.ceiling import Ceiling, Objective, ceiling
from agentdyno.analysis.measured import MeasuredRun
from agentdyno.analysis.slope import Slope, slope
from agentdyno.report.summary import Row
from agentdyno.report.tables import MISSING, show, table

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


@dataclass(frozen=True, slots=True)
class Point:
    """One number of agents: the medians of its runs, and whether they keep the objective."""

    agents: int
    metrics: dict[str, float | None]
    valid: bool


@dataclass(frozen=True, slots=True)
class Swept:
    """One runtime. `objective_ms` is what the p99 of its overhead may be."""

    runtime: str
    objective_ms: float
    points: list[Point]
    memory: Slope | None
    ceiling: Ceiling


def swept(runtime: str, rows: Sequence[Row], runs: Sequence[MeasuredRun], objective: Objective) -> Swept:
    """What the rows and runs of `runtime` say."""
    its = [run for run in runs if run.cell.runtime == runtime]
    peaks = [(run.cell.agents, peak) for run in its if (peak := run.metrics["peak_rss_mib"]) is not None]
    points = [
        Point(row.cell.agents, {name: metric.median for name, metric in row.metrics.items()}, row.valid)
        for row in rows
        if row.cell.runtime == runtime
    ]
    return Swept(
        runtime=runtime,
        objective_ms=objective.overhead_ms,
        points=sorted(points, key=lambda point: point.agents),
        memory=slope([agents for agents, _ in peaks], [peak for _, peak in peaks]),
        ceiling=ceiling(its, objective),
    )


def print_sweep(console: Console, found: Sequence[Swept]) -> None:
    """Print a table of each runtime, the cost of an agent and the ceiling below it."""
    for each in found:
        show(console, _table(each))
        for line in sentences(each):
            console.print(line, markup=False, highlight=False, soft_wrap=True)


def sweep_markdown(found: Sequence[Swept]) -> str:
    """The same for a README or an issue."""
    lines = []
    for each in found:
        headings = [" ".join(heading.split()) for heading in HEADINGS]
        lines += [
            f"| {each.runtime}: agents | {' | '.join(headings)} |",
            "| ---: " * (1 + len(HEADINGS)) + "|",
        ]
        lines += [f"| {' | '.join(_figures(point))} |" for point in each.points]
        lines += ["", *(f"- {line}" for line in sentences(each)), ""]
    return "\n".join(lines)


def sentences(each: Swept) -> list[str]:
    """The cost of an agent and the ceiling, in words."""
    return [_cost(each), _ceiling(each)]


def _cost(each: Swept) -> str:
    memory = each.memory
    if memory is None:
        return f"{each.runtime}: the cost of an agent takes three numbers of agents or more"
    low, high = memory.ci95
    return (
        f"{each.runtime}: {memory.kib_per_agent:.1f} KiB an agent (95% interval {low:.1f} to {high:.1f}), "
        f"above {memory.intercept_mib:.1f} MiB"
    )


def _ceiling(each: Swept) -> str:
    found = each.ceiling
    objective = f"all in flight, no errors, overhead p99 of {each.objective_ms:g} ms or less"
    if found.broken is None:
        return (
            f"{each.runtime}: keeps the objective ({objective}) up to {found.kept:,} agents, the most tried"
        )
    bound = found.binding
    cause = (
        "what gave out is not known"
        if bound is None
        else f"what gives out is {bound.cause} ({bound.evidence})"
        if bound.is_runtimes
        else f"what gives out first is not the runtime but: {bound.cause} ({bound.evidence}); "
        "this is not the runtime's ceiling"
    )
    return (
        f"{each.runtime}: keeps the objective ({objective}) up to {found.kept:,} agents and not with "
        f"{found.broken:,}, where {'; '.join(found.reasons)}: {cause}"
    )


def _table(each: Swept) -> Table:
    made = table(f"{each.runtime} against agents", ["agents\n", *HEADINGS])
    for point in each.points:
        made.add_row(*_figures(point), style=None if point.valid else "strike")
    return made


def _figures(point: Point) -> list[str]:
    figures = []
    for metric, scale, form in HEADINGS.values():
        value = point.metrics[metric]
        figures.append(MISSING if value is None else format(value * scale, form))
    return [f"{point.agents:,}", *figures]
