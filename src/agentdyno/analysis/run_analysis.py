"""One analysed run: its metrics, its gates, the data for comparisons, and its ratios to a reference."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from agentdyno.analysis import ledger
from agentdyno.analysis.bottleneck import Bottleneck, bottleneck
from agentdyno.analysis.disturbances import DISTURBANCES
from agentdyno.analysis.gate import Evidence, Failure
from agentdyno.analysis.gates import GATES, LATENESS_LIMIT_MS
from agentdyno.analysis.joins import digests, join
from agentdyno.analysis.ledger import Entry
from agentdyno.analysis.metrics import TaskRow, metrics, task_rows
from agentdyno.analysis.notes import Seen, seen
from agentdyno.analysis.ratio import BASELINE, FLOOR, quotient
from agentdyno.analysis.registry import METRICS
from agentdyno.rundata.cell import Cell
from agentdyno.rundata.columns import Columns
from agentdyno.rundata.raw_run import RawRun


@dataclass(frozen=True, slots=True)
class RunAnalysis:
    """One analysed run, without events, journal and samples: an experiment holds one of each of its runs.

    `requests` has a digest of the hashes of all requests by task and attempt; `outcomes` are outcome and
    attempts by task. `methods` names the method of a metric that has several. `slowest_ms` is the largest
    overhead of an attempt, and `bottleneck` is the resource that limited the slowest attempts.
    """

    cell: Cell
    block: int
    folder: Path
    interrupted: bool
    metrics: dict[str, float | None]
    methods: dict[str, str | None]
    slowest_ms: float | None
    bottleneck: Bottleneck | None
    tasks: Columns[TaskRow]
    failures: list[Failure]
    requests: dict[str, bytes]
    outcomes: dict[str, tuple[str, int]]
    seen: Seen
    cores: int

    @property
    def is_disturbed(self) -> bool:
        """Whether something beside the run disturbed it, which another try may be spared."""
        names = {gate.name for gate in DISTURBANCES}
        return any(failure.gate in names for failure in self.failures)

    @property
    def is_sound(self) -> bool:
        """Whether no gate of this run found a fault."""
        return not any(failure.is_fault for failure in self.failures)


def analyse(run: RawRun) -> tuple[RunAnalysis, Columns[Entry]]:
    """The analysis of one run by itself, and the ledger of its attempts."""
    joined = join(run)
    entries = ledger.entries(run, joined)
    tasks = task_rows(run, entries)
    requests = digests(run)
    evidence = Evidence(run, entries, metrics(run, entries, tasks), joined, requests)
    analysis = RunAnalysis(
        cell=run.cell,
        block=run.block,
        folder=run.folder,
        interrupted=run.outcome.interrupted,
        metrics=dict(evidence.figures),
        methods={
            "peak_rss_mib": "VmHWM of /proc/PID/status",
            "tools_peak_pss_mib": "Pss of /proc/PID/smaps_rollup",
            "tree_peak_pss_mib": "Pss of /proc/PID/smaps_rollup",
            "tree_peak_cgroup_mib": run.outcome.cgroup_method,
        },
        slowest_ms=max((entry.overhead for entry in entries), default=None),
        bottleneck=bottleneck(run, entries, evidence.figures["endpoint_lateness_ms_p99"], LATENESS_LIMIT_MS),
        tasks=tasks,
        failures=[failure for gate in GATES for failure in gate.failures(evidence)],
        requests=requests,
        outcomes=_outcomes(run),
        seen=seen(run),
        cores=run.outcome.cores,
    )
    return analysis, entries


def _outcomes(run: RawRun) -> dict[str, tuple[str, int]]:
    kinds: dict[tuple[str, int], tuple[str, int]] = {}
    said = run.events.outcomes.of("task", "outcome", "attempts")
    return {task: kinds.setdefault((outcome, count), (outcome, count)) for task, outcome, count in said}


def reference_ratios(runs: Sequence[RunAnalysis], baseline: str | None) -> dict[str, dict[str, float | None]]:
    """The ratios of every run to the floor and to the baseline, by the name of the run's folder.

    A run is paired with the reference's run of the same block and otherwise same cell, so that what slowed
    the machine slowed both. A ratio is None where the block has no such run.
    """
    by_cell = {(run.block, run.cell): run.metrics for run in runs}
    runtimes = {FLOOR: FLOOR, BASELINE: baseline or ""}
    found: dict[str, dict[str, float | None]] = {}
    for run in runs:
        its = found[run.folder.name] = {}
        for metric in METRICS.values():
            if metric.of is not None and metric.reference is not None:
                cell = replace(run.cell, runtime=runtimes[metric.reference], control="")
                theirs = by_cell.get((run.block, cell), {})
                its[metric.name] = quotient(run.metrics.get(metric.of), theirs.get(metric.of))
    return found
