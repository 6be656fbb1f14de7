"""Values: each run's figure of each metric."""

from collections.abc import Iterator
from dataclasses import dataclass

from agentdyno.records.record import Label, Record, of_run
from agentdyno.report.summary import Row


@dataclass(frozen=True, slots=True)
class Value(Record):
    """What one run came to in one metric (docs/measuring.md has them)."""

    valid: bool
    """Whether no gate stands against the row that the run belongs to."""
    metric: Label
    unit: Label
    value: float | None


def values(row: Row, block: int, number: int) -> Iterator[Value]:
    """Every figure of the run that was made in `block` and is the row's `number`th, from 0."""
    for name, metric in row.metrics.items():
        yield Value(
            **of_run(row.cell, block),
            valid=row.valid,
            metric=name,
            unit=metric.unit,
            value=metric.values[number],
        )
