"""`summary.json`, `tasks.csv` and `ledger.csv`: what programs read of an experiment."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import chain
from typing import Any

from agentdyno.analysis import controls
from agentdyno.analysis.controls import Comparison, identical_service
from agentdyno.analysis.gate import Failure, are_all
from agentdyno.analysis.ledger import PARTS, Entry
from agentdyno.analysis.metric import Kind
from agentdyno.analysis.metrics import TaskRow
from agentdyno.analysis.notes import Note, notes
from agentdyno.analysis.registry import METRICS
from agentdyno.analysis.run_analysis import RunAnalysis, reference_ratios
from agentdyno.analysis.statistics import interval, median
from agentdyno.rundata.cell import CONTROL_NAMES, Cell

SCHEMA_VERSION = 4

CELL = ("runtime", "agents", "verifier", "profile")
"""The fields that name a row."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of a row: the median over the runs, its 95% interval, and each run's value in block
    order.
    """

    median: float | None
    ci95: tuple[float, float] | None
    values: list[float | None]
    unit: str

    @property
    def half_width(self) -> float | None:
        """Half the interval as a share of the median; None where there is no interval."""
        if self.ci95 is None or not self.median:
            return None
        return (self.ci95[1] - self.ci95[0]) / 2 / self.median


@dataclass(frozen=True, slots=True)
class Row:
    """One cell's row; `failures` say which of its figures are not valid, and why. `methods` are how its
    memory was measured. `notes` say what a real server did that explains outcomes.
    """

    cell: Cell
    failures: list[Failure]
    metrics: dict[str, Metric]
    methods: dict[str, str | None]
    notes: list[Note] = field(default_factory=list)

    @property
    def valid(self) -> bool:
        """Whether nothing stands against any of its figures."""
        return not self.failures

    @property
    def invalid_kinds(self) -> list[Kind]:
        """The kinds of figures that are not valid."""
        against = {kind for failure in self.failures for kind in failure.kinds}
        return [kind for kind in Kind if kind in against]

    @property
    def is_void(self) -> bool:
        """Whether no figure at all is valid."""
        return are_all(self.invalid_kinds)

    def has_valid(self, metric: str) -> bool:
        """Whether nothing stands against its figure of `metric`."""
        return self.is_valid(METRICS[metric].kind)

    def is_valid(self, kind: Kind) -> bool:
        """Whether nothing stands against its figures of `kind`."""
        return kind not in self.invalid_kinds

    @property
    def is_sound(self) -> bool:
        """Whether nothing but a busy machine or a small experiment does."""
        return not any(failure.is_fault for failure in self.failures)

    @property
    def name(self) -> str:
        """What people read of its cell in a line below a table."""
        return f"{self.cell.runtime}, {self.cell.agents} agents, verifier {self.cell.verifier}"

    def complaint(self, failure: Failure) -> str:
        """One of its failures as a line that people read below a table."""
        return f"{invalid(failure)} {self.name}, {failure.line}"

    @property
    def remarks(self) -> list[str]:
        """Its notes as such lines."""
        return [f"{self.name}: {note.line}" for note in self.notes]


def invalid(failure: Failure) -> str:
    """What a line about `failure` begins with: which figures are not valid."""
    return f"INVALID {failure.concerns} of" if failure.concerns else "INVALID"


@dataclass(frozen=True, slots=True)
class Summary:
    """What an experiment has come to so far."""

    rows: list[Row]
    comparisons: list[Comparison]


def summarise(
    runs: Sequence[RunAnalysis], cells: Sequence[Cell], *, simulated: bool, baseline: str | None
) -> Summary:
    """A row for each of `cells`, in their order, that has been run at all, and what the controls show."""
    # Sound runs first, then as asked for: what is compared with a run that crashed would be blamed for it.
    # A search for the capacity runs cells that nobody asked for beforehand.
    cells = list(dict.fromkeys([*cells, *(run.cell for run in runs if not run.cell.control)]))
    order = {cell: number for number, cell in enumerate(cells)}
    sound_first = sorted(runs, key=lambda run: (not run.is_sound, order.get(run.cell, len(order))))
    differences = identical_service(sound_first, simulated=simulated)
    ratios = reference_ratios(runs, baseline)
    compared = controls.comparisons(runs)
    of_all = controls.failures(compared, runs)
    rows = []
    for cell in cells:
        its = sorted((run for run in runs if run.cell == cell), key=lambda run: run.block)
        if not its:
            continue
        figures = [run.metrics | ratios[run.folder.name] for run in its]
        values = {name: [of_run[name] for of_run in figures] for name in METRICS}
        rows.append(
            Row(
                cell=cell,
                failures=[
                    *(failure for run in its for failure in run.failures),
                    *(failure for run in its for failure in differences.get(run.folder.name, [])),
                    *_faults_of_controls(runs, cell, differences),
                    *of_all,
                ],
                metrics={
                    name: Metric(median(values[name]), interval(values[name]), values[name], metric.unit)
                    for name, metric in METRICS.items()
                },
                methods=its[0].methods,
                notes=notes([run.seen for run in its]),
            )
        )
    return Summary(rows, compared)


def _faults_of_controls(
    runs: Sequence[RunAnalysis], cell: Cell, differences: Mapping[str, Sequence[Failure]]
) -> list[Failure]:
    """What the controls that repeat `cell` did wrong: it is the same runtime that crashed."""
    return [
        replace(failure, reason=f"{CONTROL_NAMES[run.cell.control]}: {failure.reason}")
        for run in runs
        if run.cell.control and replace(run.cell, control="") == cell
        for failure in (*run.failures, *differences.get(run.folder.name, []))
        if failure.is_fault
    ]


def as_json(found: Summary) -> dict[str, Any]:
    """The findings as they stand in `summary.json`."""
    return {
        "rows": [
            {
                **named(row.cell),
                "valid": row.valid,
                "invalid_kinds": row.invalid_kinds,
                "failures": [asdict(failure) for failure in row.failures],
                "methods": row.methods,
                "metrics": {name: asdict(metric) for name, metric in row.metrics.items()},
                # Summaries of before notes were taken have none, and `verify` compares.
                **({"notes": [asdict(note) for note in row.notes]} if row.notes else {}),
            }
            for row in found.rows
        ],
        "controls": [asdict(comparison) for comparison in found.comparisons],
    }


def named(cell: Cell) -> dict[str, Any]:
    """A row's name in JSON."""
    return {name: getattr(cell, name) for name in CELL}


def tasks_csv(runs: Sequence[RunAnalysis]) -> Iterator[str]:
    """The lines of `tasks.csv`: one per task and run, times in ms."""
    heading = ["runtime", "agents", "verifier", "profile", "control", "run", *TaskRow._fields]
    return _csv(
        heading, ([*_cell(run.cell), run.block, *map(_shown, row)] for run in runs for row in run.tasks)
    )


def ledger_csv(entries: Iterable[Entry]) -> Iterator[str]:
    """The lines of one run's `ledger.csv`: one per attempt, times in ms."""
    heading = ["task", "attempt", "verdict", "wall", *PARTS, "overhead"]
    lines = (
        [entry.task, entry.attempt, entry.verdict, *map(_shown, (entry.wall, *entry.parts, entry.overhead))]
        for entry in entries
    )
    return _csv(heading, lines)


def _cell(cell: Cell) -> list[object]:
    return [cell.runtime, cell.agents, cell.verifier, cell.profile, cell.control]


def _csv(heading: Sequence[str], lines: Iterable[Sequence[object]]) -> Iterator[str]:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    for line in chain([heading], lines):
        writer.writerow(line)
        yield text.getvalue()
        text.seek(0)
        text.truncate()


def _shown(value: object) -> object:
    return round(value, 3) if isinstance(value, float) else value
