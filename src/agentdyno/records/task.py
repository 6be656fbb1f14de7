"""Tasks: what came of each, and what its attempts took together."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from agentdyno.analysis import ledger
from agentdyno.analysis.metrics import task_rows
from agentdyno.analysis.run_data import RunData
from agentdyno.records.record import Label, Record, of_run, since_start


@dataclass(frozen=True, slots=True)
class Task(Record):
    """One task of one run. Times are summed over its attempts, None where one of these has no ledger."""

    task: str
    outcome: Label
    reason: str | None
    attempts: int
    transport_retries: int
    t_end_ms: float | None
    """When it was over, since the run's start."""
    wall_ms: float
    """From when it was to begin, whether or not an agent was free."""
    begin_ms: float
    """Of `wall_ms`, until it was begun."""
    model_ms: float | None
    queue_ms: float | None
    verify_ms: float | None
    overhead_ms: float | None


def tasks(run: RunData) -> Iterator[Task]:
    """Every task of a run that has an outcome, in the order in which they ended."""
    where, ms = of_run(run.cell, run.block), since_start(run)
    rows = task_rows(run, ledger.entries(run))
    for outcome, row in zip(run.events.outcomes, rows, strict=True):
        yield Task(**where, **asdict(row), t_end_ms=ms(outcome.t))
