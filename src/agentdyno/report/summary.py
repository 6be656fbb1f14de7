"""`summary.json` and `tasks.csv`: what programs read of an experiment."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from agentdyno.analysis import floor
from agentdyno.analysis.identical_service import identical_service
from agentdyno.analysis.measured import MeasuredRun
from agentdyno.analysis.metrics import UNITS, TaskRow
from agentdyno.analysis.statistics import interval, median
from agentdyno.experiment.cell import Cell
from agentdyno.files import write_json, write_text

SCHEMA_VERSION = 2


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of a row: the median over the runs, its 95% interval, and each run's value in block
    order.
    """

    median: float | None
    ci95: tuple[float, float] | None
    values: list[float | None]
    unit: str


@dataclass(frozen=True, slots=True)
class Row:
    """One cell's row; `faults` and `conditions` say why it is not valid (see gates.py for the difference)."""

    cell: Cell
    faults: list[str]
    conditions: list[str]
    metrics: dict[str, Metric]

    @property
    def reasons(self) -> list[str]:
        """Everything that stands against the row."""
        return [*self.faults, *self.conditions]

    @property
    def valid(self) -> bool:
        """Whether nothing does."""
        return not self.reasons

    @property
    def complaints(self) -> list[str]:
        """The reasons as lines that people read below a table."""
        cell = self.cell
        where = f"{cell.runtime}, {cell.agents} agents, verifier {cell.verifier}"
        return [f"INVALID {where}, {' '.join(reason.split())}" for reason in self.reasons]


def rows(runs: Sequence[MeasuredRun], cells: Sequence[Cell], *, simulated: bool) -> list[Row]:
    """A row for each of `cells`, in their order, that has been run at all."""
    # Sound runs first, then as asked for: what is compared with a run that crashed would be blamed for it.
    sound_first = sorted(runs, key=lambda run: (bool(run.faults), cells.index(run.cell)))
    differences = identical_service(sound_first, simulated=simulated)
    to_floor = floor.ratios(runs)
    units = UNITS | floor.UNITS
    found = []
    for cell in cells:
        its = sorted((run for run in runs if run.cell == cell), key=lambda run: run.block)
        if not its:
            continue
        figures = [run.metrics | to_floor[run.folder.name] for run in its]
        values = {name: [of_run[name] for of_run in figures] for name in units}
        found.append(
            Row(
                cell=cell,
                faults=[
                    *_said(its, [run.faults for run in its]),
                    *_said(its, [differences.get(run.folder.name, []) for run in its]),
                ],
                conditions=_said(its, [run.conditions for run in its]),
                metrics={
                    name: Metric(median(values[name]), interval(values[name]), values[name], unit)
                    for name, unit in units.items()
                },
            )
        )
    return found


def _said(runs: Sequence[MeasuredRun], reasons: Sequence[Sequence[str]]) -> list[str]:
    """What stands against each of the runs, with the run's number."""
    return [f"run {run.block}: {reason}" for run, its in zip(runs, reasons, strict=True) for reason in its]


def write_summary(
    path: Path, experiment: dict[str, Any], environment: dict[str, Any], found: Sequence[Row]
) -> None:
    """Write `summary.json`, atomically; called after every run, so that an interruption loses nothing."""
    write_json(
        path,
        {
            "schema_version": SCHEMA_VERSION,
            "experiment": experiment,
            "environment": environment,
            "rows": [
                {
                    **asdict(row.cell),
                    "valid": row.valid,
                    "reasons": row.reasons,
                    "metrics": {name: asdict(metric) for name, metric in row.metrics.items()},
                }
                for row in found
            ],
        },
    )


def write_tasks(path: Path, runs: Sequence[MeasuredRun]) -> None:
    """Write `tasks.csv`: a line per task and run, times in ms."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    names = [field.name for field in fields(TaskRow)]
    writer.writerow(["runtime", "agents", "verifier", "profile", "run", *names])
    for run in runs:
        cell = run.cell
        for row in run.tasks:
            shown = [_shown(getattr(row, name)) for name in names]
            writer.writerow([cell.runtime, cell.agents, cell.verifier, cell.profile, run.block, *shown])
    write_text(path, text.getvalue())


def _shown(value: object) -> object:
    return round(value, 3) if isinstance(value, float) else value
