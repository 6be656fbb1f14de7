"""The capacity: the largest number of agents at which a runtime keeps an objective."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from agentdyno.analysis.bottleneck import Bottleneck
from agentdyno.analysis.gates import ACCOUNTED, CONCURRENCY_SHARE, ENDED
from agentdyno.analysis.run_analysis import RunAnalysis

RESOLUTION = 1.25
"""The search ends when the ratio of the smallest N that breaks the objective to the largest N that keeps it
is at most this.
"""


@dataclass(frozen=True, slots=True)
class Objective:
    """What must hold at N agents: the endpoint has all of them in flight at once; the overhead p99 (the
    maximum, where a p99 needs more attempts) is at most `overhead_ms`; no errors; no lost task, as after a
    crash.
    """

    overhead_ms: float = 50.0

    def broken(self, run: RunAnalysis) -> list[str]:
        """Why this run breaks the objective; empty when the run keeps it."""
        found = []
        in_flight = run.metrics["max_in_flight"] or 0
        if in_flight < CONCURRENCY_SHARE * run.cell.agents:
            found.append(f"{in_flight:.0f} of {run.cell.agents} agents were in flight at once")
        overhead, of = run.metrics["overhead_ms_p99"], "p99"
        if overhead is None:
            overhead, of = run.slowest_ms, "max"
        if overhead is None or overhead > self.overhead_ms:
            shown = "unknown" if overhead is None else f"{of} {overhead:.1f} ms"
            found.append(f"overhead {shown} (limit {self.overhead_ms:g} ms)")
        errors = [task.reason for task in run.tasks if task.outcome == "error"]
        if errors:
            tasks = "1 task ended as an error" if len(errors) == 1 else f"{len(errors)} tasks ended as errors"
            found.append(f"{tasks}, the first: {errors[0] or 'no reason given'}")
        if any(failure.gate == ACCOUNTED for failure in run.failures):
            found += [failure.reason for failure in run.failures if failure.gate in (ENDED, ACCOUNTED)]
        return found


@dataclass(frozen=True, slots=True)
class Capacity:
    """`kept` is the largest N that keeps the objective (0 if none does); `broken` is the smallest larger N
    that breaks it (None if none was found), with the `reasons` and the `bottleneck` there.
    """

    kept: int
    broken: int | None
    reasons: list[str]
    bottleneck: Bottleneck | None


def capacity(runs: Sequence[RunAnalysis], objective: Objective) -> Capacity:
    """The capacity that these runs of one runtime show.

    A number of agents keeps the objective if at least half of its runs do, so that one disturbed run does not
    decide. Interrupted runs do not count.
    """
    by_agents: dict[int, list[RunAnalysis]] = {}
    for run in runs:
        if not run.interrupted:
            by_agents.setdefault(run.cell.agents, []).append(run)
    kept, first_broken = 0, None
    for agents in sorted(by_agents):
        broken = [run for run in by_agents[agents] if objective.broken(run)]
        if 2 * len(broken) > len(by_agents[agents]):
            first_broken = broken[0]
            break
        kept = agents
    if first_broken is None:
        return Capacity(kept, None, [], None)
    return Capacity(kept, first_broken.cell.agents, objective.broken(first_broken), first_broken.bottleneck)


def next_to_try(found: Capacity) -> int | None:
    """The next number of agents to measure: double until one breaks the objective, then the geometric mean of
    `kept` and `broken`; None when the search has ended.
    """
    if found.broken is None:
        return 2 * max(found.kept, 1)
    if found.broken <= max(found.kept, 1) * RESOLUTION:
        return None
    between = round(math.sqrt(max(found.kept, 1) * found.broken))
    return between if found.kept < between < found.broken else None
