"""What a sweep has written of each runtime, read back."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agentdyno.analysis.bottleneck import NOTHING, UNKNOWN, Bottleneck
from agentdyno.analysis.capacity import Capacity, Objective, capacity
from agentdyno.analysis.gate import are_all
from agentdyno.analysis.gates import ENOUGH
from agentdyno.analysis.metric import Kind
from agentdyno.analysis.registry import METRICS
from agentdyno.analysis.run_analysis import RunAnalysis
from agentdyno.analysis.statistics import Slope, slope
from agentdyno.format import counted, figure, interval
from agentdyno.reading import Missing, Unreadable, read_json
from agentdyno.results.documents import struck
from agentdyno.results.summary import Row
from agentdyno.shape import AtLeast1, Count, Positive

SWEEP = "sweep.json"


SHOWN = (
    "peak_rss_mib",
    "tasks_per_s",
    "cpu_s_per_task",
    "overhead_ms_p50",
    "overhead_ms_p99",
    "max_in_flight",
    "endpoint_lateness_ms_p99",
    "endpoint_cpu_share",
)
"""The metrics of the table, from left to right."""


@dataclass(frozen=True, slots=True)
class Point:
    """One number of agents: the medians of its runs, whether its row is valid, and what of it is not.

    Version 0.1.0 wrote no `invalid_kinds`: it marked the row, and no figure.
    """

    agents: AtLeast1
    metrics: dict[str, float | None]
    valid: bool
    invalid_kinds: list[Kind] | None = None

    @property
    def is_void(self) -> bool:
        """Whether no figure at all is valid, or for an older point, whether something is not."""
        return not self.valid if self.invalid_kinds is None else are_all(self.invalid_kinds)

    def has_valid(self, metric: str) -> bool:
        """Whether nothing is known to stand against its figure of `metric`."""
        return METRICS[metric].kind not in (self.invalid_kinds or ())


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
    capacity: Capacity


def swept(
    runtime: str,
    verifier: str,
    rows: Sequence[Row],
    runs: Sequence[RunAnalysis],
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
        Point(
            row.cell.agents,
            {name: metric.median for name, metric in row.metrics.items()},
            row.valid,
            row.invalid_kinds,
        )
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
        capacity=capacity(its, objective),
    )


def sweep_markdown(found: Sequence[Swept]) -> str:
    """The same for a README or an issue."""
    lines = []
    for each in found:
        headings = [METRICS[name].heading for name in SHOWN]
        lines += [
            f"| {each.runtime}, verifier {each.verifier}: agents | {' | '.join(headings)} |",
            "| ---: " * (1 + len(SHOWN)) + "|",
        ]
        for point in each.points:
            figures = [
                struck(METRICS[name].shown(point.metrics.get(name)), point.has_valid(name)) for name in SHOWN
            ]
            lines.append(f"| {point.agents:,} | {' | '.join(figures)} |")
        lines += ["", *(f"- {line}" for line in sentences(each)), ""]
    return "\n".join(lines)


def complaints(found: Sequence[Swept], rows: Sequence[Row]) -> list[str]:
    """What is wrong below the capacities, where nothing should be; few attempts are no fault of few
    agents.
    """
    kept = {(each.runtime, each.verifier): each.capacity.kept for each in found}
    return [
        row.complaint(failure)
        for row in rows
        if row.cell.agents <= kept.get((row.cell.runtime, row.cell.verifier), 0)
        for failure in row.failures
        if failure.gate != ENOUGH
    ]


def sentences(each: Swept) -> list[str]:
    """The cost of an agent and the capacity, in words."""
    name = f"{each.runtime}, verifier {each.verifier}"
    return [f"{name}: {_cost(each.memory)}", f"{name}: {_capacity(each)}"]


def _cost(memory: Slope | None) -> str:
    if memory is None:
        return "the cost of an agent takes three numbers of agents or more at which nothing is wrong"
    return (
        f"{figure(memory.kib_per_agent)} KiB an agent (95% CI {interval(memory.ci95)}), "
        f"above {figure(memory.intercept_mib)} MiB"
    )


def _capacity(each: Swept) -> str:
    found = each.capacity
    objective = f"all in flight, no errors, overhead p99 of {each.objective_ms:g} ms or less"
    if not found.kept and found.broken is None:
        return "no run was whole, so there is no capacity to tell"
    if found.broken is None:
        kept = f"keeps the objective ({objective}) up to {counted(found.kept, 'agent')}"
        if found.kept != each.most_agents:
            return f"{kept}, the most tried"
        return (
            f"{kept}; the hard limit on open files (`ulimit -Hn`) leaves room for no more, so this is not "
            "the runtime's capacity: raise it to go on"
        )
    kept = counted(found.kept, "agent")
    reached = (
        f"keeps the objective ({objective}) up to {kept} and not with {found.broken:,}"
        if found.kept
        else f"does not keep the objective ({objective}) with {counted(found.broken, 'agent')}"
    )
    return f"{reached}, where {'; '.join(found.reasons)}: {_gives_out(found.bottleneck)}"


def _gives_out(bound: Bottleneck | None) -> str:
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
        "this is not the runtime's capacity"
    )


@dataclass(frozen=True, slots=True)
class _Ceiling:
    kept: Count
    broken: AtLeast1 | None
    reasons: list[str]
    binding: Bottleneck | None


@dataclass(frozen=True, slots=True)
class _Line:
    """One runtime with one verifier, as `sweep.json` names its parts."""

    runtime: str
    verifier: str
    objective_ms: Positive
    most_agents: Count | None
    points: list[Point]
    memory: Slope | None
    ceiling: _Ceiling

    @property
    def swept(self) -> Swept:
        its = self.ceiling
        return Swept(
            self.runtime,
            self.verifier,
            self.objective_ms,
            self.most_agents,
            self.points,
            self.memory,
            Capacity(its.kept, its.broken, its.reasons, its.binding),
        )


REMEDY = "remove it, or sweep again"


def read_swept(summary: Path) -> list[Swept]:
    """What the sweep with this summary has found; a UserError where that cannot be read.

    Empty where it was none, or where the summary was copied elsewhere under a name of its own: what lies
    beside it there is of others.
    """
    if summary.name != "summary.json":
        return []
    try:
        return read_file(summary.with_name(SWEEP))
    except Missing:
        return []


def read_file(path: Path) -> list[Swept]:
    """What a `sweep.json` holds; an Unreadable says where it is not what a sweep writes."""
    found = [line.swept for line in read_json(path, list[_Line], REMEDY)]
    for place, each in enumerate(found):
        for number, point in enumerate(each.points):
            if unknown := point.metrics.keys() - METRICS.keys():
                where = f"[{place}].points[{number}].metrics.{min(unknown)}"
                raise Unreadable(path, f"{where}: is no metric of this version", REMEDY)
    return found


def as_json(found: Sequence[Swept]) -> list[dict[str, Any]]:
    """What `sweep.json` holds. The file's names are those of its first version: `ceiling` and `binding`."""
    return [_as_line(each) for each in found]


def _as_line(each: Swept) -> dict[str, Any]:
    line = asdict(each)
    capacity = line.pop("capacity")
    return line | {"ceiling": capacity | {"binding": capacity.pop("bottleneck")}}
