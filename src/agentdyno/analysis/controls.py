"""Checks that need several runs: the controls, which test the instrument, and identical service.

Identical service means that all runs made identical requests and had identical outcomes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from agentdyno.analysis.claims import FIRST_REQUESTS
from agentdyno.analysis.gate import Failure
from agentdyno.analysis.joins import DIGEST_BYTES
from agentdyno.analysis.metric import Kind
from agentdyno.analysis.noise import noise
from agentdyno.analysis.ratio import Ratio, of_pairs, quotient
from agentdyno.analysis.registry import METRICS
from agentdyno.analysis.run_analysis import RunAnalysis
from agentdyno.analysis.statistics import FEW
from agentdyno.measure.proc import counter_error_kib
from agentdyno.rundata.cell import AA_CONTROL, DRIFT_CHECK

Service = tuple[dict[str, bytes], dict[str, tuple[str, int]]]
"""The service that a run got: digests of the requests of each task's attempts, and outcomes, by task."""


def identical_service(runs: Sequence[RunAnalysis], *, simulated: bool) -> dict[str, list[Failure]]:
    """The failures of runs whose requests or outcomes differ from those of most runs, by the run's folder.

    The gates compare runs with the same number of agents and the same verifier. The most frequent service of
    those runs that asked as the contract lays down is the reference; among equally frequent ones, the
    earliest in `runs`. A simulated endpoint answers equal
    conversations equally, so all requests and outcomes must be identical. A real model may answer
    differently, so the gates compare only the first request of each task.
    """
    groups: dict[tuple[int, str], list[RunAnalysis]] = {}
    for run in runs:
        if not run.interrupted:
            groups.setdefault((run.cell.agents, run.cell.verifier), []).append(run)
    found: dict[str, list[Failure]] = {}
    for group in groups.values():
        services = [_service(run, simulated=simulated) for run in group]
        trusted = [service for run, service in zip(group, services, strict=True) if _asked_right(run)]
        usual = max(trusted or services, key=services.count)
        reference = group[services.index(usual)]
        for run, service in zip(group, services, strict=True):
            found[run.folder.name] = _differences(run.block, service, usual, reference.folder.name)
    return found


def _asked_right(run: RunAnalysis) -> bool:
    """Whether the first requests are known to be those of the contract: of those that come after, only other
    runs tell what they should be.
    """
    return not any(failure.gate == FIRST_REQUESTS for failure in run.failures)


def _service(run: RunAnalysis, *, simulated: bool) -> Service:
    if simulated:
        return run.requests, run.outcomes
    return {task: its[:DIGEST_BYTES] for task, its in run.requests.items()}, {}


def _differences(block: int, service: Service, usual: Service, reference: str) -> list[Failure]:
    (requests, outcomes), (usual_requests, usual_outcomes) = service, usual
    failures = []
    if unlike := list(_unlike_requests(requests, usual_requests)):
        task, attempt = unlike[0]
        reason = (
            f"{len(unlike)} requests differ from those of {reference}, the first: {task} attempt {attempt}"
        )
        remedy = "see messages.json and feedback.json of the contract's vectors"
        failures.append(Failure("identical requests", block, reason, remedy, is_fault=True))
    if tasks := _unlike(outcomes, usual_outcomes):
        reason = f"{len(tasks)} outcomes differ from those of {reference}, the first: {tasks[0]}"
        remedy = "compare that task's attempts in the two runs' events.jsonl"
        failures.append(Failure("identical outcomes", block, reason, remedy, is_fault=True))
    return failures


def _unlike_requests(these: Mapping[str, bytes], those: Mapping[str, bytes]) -> Iterator[tuple[str, int]]:
    """The tasks and attempts whose requests differ between the two."""
    for task in _unlike(these, those):
        one, other = these.get(task, b""), those.get(task, b"")
        for at in range(0, max(len(one), len(other)), DIGEST_BYTES):
            if one[at : at + DIGEST_BYTES] != other[at : at + DIGEST_BYTES]:
                yield task, 1 + at // DIGEST_BYTES


def _unlike(these: Mapping[str, object], those: Mapping[str, object]) -> list[str]:
    """The keys, in order, whose values differ between the two."""
    return sorted(key for key in these.keys() | those.keys() if these.get(key) != those.get(key))


LIMIT = 0.05
"""How far from 1 the ratio of a control to the run that it repeats may be."""

COMPARED = ("peak_rss_mib", "cpu_s_per_task", "overhead_ms_p50", "wall_s")
JUDGED = {AA_CONTROL: COMPARED, DRIFT_CHECK: ("peak_rss_mib", "wall_s")}
"""The drift check is a single run, so only metrics with little noise can show a drift."""
LOW_NOISE = ("peak_rss_mib",)
"""The metrics that the controls judge even with few runs. Times are noisier: in a few runs, all could lie on
one side by chance, and the gate would fail in a sound experiment.
"""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The ratios of one kind of control to the runs that it repeats, by metric."""

    control: str
    runtime: str
    agents: int
    verifier: str
    ratios: dict[str, Ratio]


def comparisons(runs: Sequence[RunAnalysis]) -> list[Comparison]:
    """A comparison for each control cell that was run.

    A control is paired with the run of its own block; the drift check, made last, with the first run.
    """
    first = {run.cell: run for run in reversed(runs)}
    by_block = {(run.block, run.cell): run for run in runs}
    found = []
    for cell in dict.fromkeys(run.cell for run in runs if run.cell.control):
        repeated = replace(cell, control="")
        pairs = [
            (run, first.get(repeated) if cell.control == DRIFT_CHECK else by_block.get((run.block, repeated)))
            for run in runs
            if run.cell == cell
        ]
        ratios = {}
        for metric in COMPARED:
            ratios[metric] = of_pairs(
                [
                    quotient(run.metrics.get(metric), other.metrics.get(metric))
                    for run, other in pairs
                    if other is not None
                ]
            )
        found.append(Comparison(cell.control, cell.runtime, cell.agents, cell.verifier, ratios))
    return found


def is_tie(its: Ratio) -> bool | None:
    """Whether the ratio is within LIMIT of 1 or its 95% CI contains 1; None without a ratio."""
    if its.median is None:
        return None
    if abs(its.median - 1) <= LIMIT:
        return True
    return its.ci95 is not None and its.ci95[0] <= 1 <= its.ci95[1]


def failures(found: Sequence[Comparison], runs: Sequence[RunAnalysis]) -> list[Failure]:
    """The failures of the whole experiment that the controls show."""
    return [
        failure
        for comparison in found
        for metric, its in comparison.ratios.items()
        if metric in JUDGED.get(comparison.control, ())
        for failure in _failures(comparison, metric, its, runs)
    ]


def _failures(comparison: Comparison, metric: str, its: Ratio, runs: Sequence[RunAnalysis]) -> list[Failure]:
    few = sum(value is not None for value in its.values) <= FEW
    if its.median is None or is_tie(its) is not False:
        return []
    if _is_within_the_counter(comparison, metric, its.median, runs):
        return []
    if comparison.control == AA_CONTROL:
        if few and metric not in LOW_NOISE:
            return []
        return [
            Failure(
                "A/A",
                None,
                f"A/A control: {metric} of {comparison.runtime} is {its.median:.2f} times that of its row",
                "differences of this size are noise here; measure on a quiet machine, with more --repeats",
                is_fault=False,
                kinds=[METRICS[metric].kind],
            )
        ]
    shown = noise(runs, metric)
    if shown is None and metric not in LOW_NOISE:
        return []
    limit = 1 + max(LIMIT, shown.limit if shown else 0.0)
    if 1 / limit <= its.median <= limit:
        return []
    return [
        Failure(
            "sentinel",
            None,
            f"drift check: {metric} of the last run is {its.median:.2f} times that of the first run "
            f"(limit {1 / limit:.2f} to {limit:.2f}{', by the noise of the runs' if shown else ''})",
            "the machine or the runtime drifted during the experiment; measure again on a quiet machine",
            is_fault=False,
            kinds=[METRICS[metric].kind],
        )
    ]


def _is_within_the_counter(
    comparison: Comparison, metric: str, ratio: float, runs: Sequence[RunAnalysis]
) -> bool:
    """Whether a difference in memory is no larger than what the kernel's counter may miss."""
    if METRICS[metric].kind is not Kind.MEMORY:
        return False
    its = comparison.runtime, comparison.agents, comparison.verifier
    peak, cores = min(
        (peak, run.cores)
        for run in runs
        if (run.cell.runtime, run.cell.agents, run.cell.verifier) == its
        and (peak := run.metrics[metric]) is not None
    )
    return abs(ratio - 1) * peak * 1024 <= counter_error_kib(cores)
