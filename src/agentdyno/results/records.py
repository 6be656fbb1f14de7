"""Records of one kind, all runs of an experiment together: one by one, in Arrow, or in pandas."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from agentdyno.results.record import Label, Record, columns, not_installed
from agentdyno.results.run import Run

if TYPE_CHECKING:
    import pyarrow


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
