"""What is kept of a run once it has been analysed: its figures, and what it is compared with others by."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agentdyno.analysis import ledger
from agentdyno.analysis.bottleneck import Bottleneck, bottleneck
from agentdyno.analysis.gate import Evidence, Failure
from agentdyno.analysis.gates import GATES, LATENESS_LIMIT_MS
from agentdyno.analysis.ledger import Entry
from agentdyno.analysis.metrics import TaskRow, metrics, task_rows
from agentdyno.rundata.cell import Cell
from agentdyno.rundata.raw_run import RawRun


@dataclass(frozen=True, slots=True)
class RunAnalysis:
    """One run, without its events, journal and samples: those of 1,000 agents take hundreds of MiB.

    `requests` are the hashes of what was asked, by task and attempt; `outcomes` are outcome and attempts by
    task. `methods` says how a figure was taken where there are several ways. `slowest_ms` is the largest
    overhead of an attempt, and `bottleneck` what the slowest ones waited for.
    """

    cell: Cell
    block: int
    folder: Path
    interrupted: bool
    metrics: dict[str, float | None]
    methods: dict[str, str | None]
    slowest_ms: float | None
    bottleneck: Bottleneck | None
    tasks: list[TaskRow]
    failures: list[Failure]
    requests: dict[tuple[str, int], set[str]]
    outcomes: dict[str, tuple[str, int]]

    @property
    def is_sound(self) -> bool:
        """Whether no gate found a fault in it by itself."""
        return not any(failure.is_fault for failure in self.failures)


def analyse(run: RawRun) -> tuple[RunAnalysis, Sequence[Entry]]:
    """Everything that can be said of one run by itself, and the ledger of its attempts."""
    entries = ledger.entries(run)
    tasks = task_rows(run, entries)
    evidence = Evidence(run, entries, metrics(run, entries, tasks))
    measured = RunAnalysis(
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
        requests=_requests(run),
        outcomes={outcome.task: (outcome.outcome, outcome.attempts) for outcome in run.events.outcomes},
    )
    return measured, entries


def _requests(run: RawRun) -> dict[tuple[str, int], set[str]]:
    seen: dict[tuple[str, int], set[str]] = {}
    for request in run.journal.requests:
        if request.task is not None and request.attempt is not None and request.request_sha256 is not None:
            seen.setdefault((request.task, request.attempt), set()).add(request.request_sha256)
    return seen
