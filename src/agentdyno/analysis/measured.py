"""What is kept of a run once it has been analysed: its figures, and what it is compared with others by."""

from dataclasses import dataclass
from pathlib import Path

from agentdyno.analysis.gates import CONDITIONS, FAULTS
from agentdyno.analysis.metrics import TaskRow, metrics, task_rows
from agentdyno.analysis.run_data import RunData
from agentdyno.experiment.cell import Cell


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """One run, without its events, journal and samples: those of 1,000 agents take hundreds of MiB.

    `requests` are the hashes of what was asked, by task and attempt; `outcomes` are outcome and attempts by
    task.
    """

    cell: Cell
    block: int
    folder: Path
    interrupted: bool
    metrics: dict[str, float | None]
    tasks: list[TaskRow]
    faults: list[str]
    conditions: list[str]
    requests: dict[tuple[str, int], set[str]]
    outcomes: dict[str, tuple[str, int]]


def analyse(run: RunData) -> MeasuredRun:
    """Everything that can be said of one run by itself."""
    figures = metrics(run)
    return MeasuredRun(
        cell=run.cell,
        block=run.block,
        folder=run.folder,
        interrupted=run.ending.interrupted,
        metrics=figures,
        tasks=task_rows(run),
        faults=[reason for gate in FAULTS for reason in gate(run, figures)],
        conditions=[reason for gate in CONDITIONS for reason in gate(run, figures)],
        requests=_requests(run),
        outcomes={outcome.task: (outcome.outcome, outcome.attempts) for outcome in run.events.outcomes},
    )


def _requests(run: RunData) -> dict[tuple[str, int], set[str]]:
    seen: dict[tuple[str, int], set[str]] = {}
    for request in run.journal.requests:
        if request.task is not None and request.attempt is not None and request.request_sha256 is not None:
            seen.setdefault((request.task, request.attempt), set()).add(request.request_sha256)
    return seen
