"""Records of one kind, of all runs of an experiment: one by one, in Arrow, or in pandas.

Every record begins with the cell and the block of its run, and its times count from the start of the run.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar, get_args, get_type_hints

from agentdyno.analysis.ledger import NS_PER_MS, Entry, entries
from agentdyno.errors import UserError
from agentdyno.reading import Unreadable
from agentdyno.rundata import raw_run
from agentdyno.rundata.cell import Cell
from agentdyno.rundata.raw_run import RawRun

if TYPE_CHECKING:
    import pyarrow


Label = Annotated[str, "one of few"]
"""A text that many records share: a dictionary in Arrow, a category in pandas."""


@dataclass(frozen=True, slots=True)
class Record:
    """The run that a record is of: its cell, and the block in which that was run.

    `control` is empty where the cell was measured for its own sake, else `twin`, `sentinel` or `unsampled`;
    rows of the table are made from the former alone.
    """

    runtime: Label
    agents: int
    verifier: Label
    profile: Label
    control: Label
    block: int


def of_run(cell: Cell, block: int) -> dict[str, Any]:
    """The fields of `Record`."""
    return {**asdict(cell), "block": block}


def since_start(run: RawRun) -> Callable[[int | None], float | None]:
    """What turns a time of the raw files into ms since `run_start`; None where either did not come."""
    t_start = run.events.t_start

    def ms(t: int | None) -> float | None:
        return None if t is None or t_start is None else (t - t_start) / NS_PER_MS

    return ms


UNITS = {"ms": "ms", "s": "s", "kib": "KiB"}
"""Units by what names end in."""


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a kind of record; `holds` is `Label`, or the type of its values."""

    name: str
    holds: Any
    can_be_none: bool

    @property
    def unit(self) -> str | None:
        """What its numbers are, where its name says so."""
        return UNITS.get(self.name.rpartition("_")[2])


def columns(kind: type[Record]) -> list[Column]:
    """The fields of a kind, in their order."""
    found = []
    for name, hint in get_type_hints(kind, include_extras=True).items():
        can_be_none = NoneType in get_args(hint)
        holds = get_args(hint)[0] if can_be_none else hint
        found.append(Column(name, holds, can_be_none))
    return found


def not_installed(package: str) -> UserError:
    """What to say where a package that agentdyno itself does without is missing."""
    return UserError(f"this table takes {package}, which is not installed here; pip install {package}")


@dataclass(frozen=True, slots=True)
class Run:
    """One run, whose events, journal and samples lie in `folder`."""

    folder: Path
    cell: Cell
    block: int

    def ledger(self) -> Sequence[Entry]:
        """The ledger of each of its attempts that has one."""
        return entries(self.read())

    def read(self) -> RawRun:
        """Everything known of it. A UserError names the file that is gone or damaged, and the place."""
        try:
            return raw_run.read(self.folder, self.cell, self.block)
        except Unreadable as damage:
            raise UserError(str(damage), status=1) from None


def arrow_table(kind: type[Record], batches: Iterable[Iterable[Record]]) -> "pyarrow.Table":
    """A column for each field, its unit in the field's metadata; a record batch for each of `batches`.

    The types are the kind's, whatever the records are and even if there is none. A UserError without pyarrow.
    """
    try:
        import pyarrow
    except ModuleNotFoundError:
        raise not_installed("pyarrow") from None
    types = {
        Label: pyarrow.dictionary(pyarrow.int32(), pyarrow.string()),
        str: pyarrow.string(),
        int: pyarrow.int64(),
        float: pyarrow.float64(),
        bool: pyarrow.bool_(),
    }
    schema = pyarrow.schema(
        pyarrow.field(
            column.name,
            types[column.holds],
            nullable=column.can_be_none,
            metadata={"unit": column.unit} if column.unit else None,
        )
        for column in columns(kind)
    )

    def batch(records: list[Record]) -> "pyarrow.RecordBatch":
        arrays = [
            pyarrow.array([getattr(record, field.name) for record in records], field.type) for field in schema
        ]
        return pyarrow.record_batch(arrays, schema=schema)

    made = pyarrow.Table.from_batches([batch(list(records)) for records in batches], schema=schema)
    # Each batch has found its own labels.
    return made.unify_dictionaries()


if TYPE_CHECKING:
    import pandas

TYPES = {Label: "category", str: "string", int: "int64", float: "float64", bool: "bool"}
NULLABLE = TYPES | {int: "Int64"}
"""The same where a value can be missing; in a column of floats it is NaN, which NumPy understands."""


def data_frame(kind: type[Record], records: Iterable[Record]) -> "pandas.DataFrame":
    """A column for each field, with the kind's types even if there is no record. A UserError without
    pandas.
    """
    try:
        import pandas
    except ModuleNotFoundError:
        raise not_installed("pandas") from None
    values: dict[str, list[object]] = {column.name: [] for column in columns(kind)}
    for record in records:
        for name, column in values.items():
            column.append(getattr(record, name))
    return pandas.DataFrame(
        {
            column.name: pandas.Series(
                values[column.name], dtype=(NULLABLE if column.can_be_none else TYPES)[column.holds]
            )
            for column in columns(kind)
        }
    )


T = TypeVar("T", bound=Record)


@dataclass(frozen=True, slots=True, repr=False)
class Records(Generic[T]):
    """The records of `runs`, of one `kind`, as an iterable: run by run, in the order in which they were made.

    Nothing is kept: each iteration reads the files again, and holds those of one run at a time. A UserError
    where the files of a run are gone.
    """

    kind: type[T]
    runs: list[Run]
    read: Callable[[Run], Iterable[T]]

    def __iter__(self) -> Iterator[T]:
        for run in self.runs:
            yield from self.read(run)

    def __repr__(self) -> str:
        count = len(self.runs)
        return f"<{self.kind.__name__} records of {count} {'run' if count == 1 else 'runs'}>"

    def of(self, runs: Iterable[Run]) -> "Records[T]":
        """Those of some runs alone; the files of others are not read."""
        return Records(self.kind, list(runs), self.read)

    def arrow(self) -> "pyarrow.Table":
        """All of them as a `pyarrow.Table`, units in the fields' metadata; a UserError without pyarrow."""
        return arrow_table(self.kind, map(self.read, self.runs))

    def pandas(self) -> "pandas.DataFrame":
        """All of them as a `pandas.DataFrame`; a UserError without pandas."""
        return data_frame(self.kind, self)
