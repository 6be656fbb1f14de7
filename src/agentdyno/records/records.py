"""Records of one kind, all runs of an experiment together."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from agentdyno.records import arrow, frame
from agentdyno.records.record import Record

if TYPE_CHECKING:
    import pandas
    import pyarrow

    from agentdyno.report.experiment import Run

T = TypeVar("T", bound=Record)


@dataclass(frozen=True, slots=True, repr=False)
class Records(Generic[T]):
    """The records of `runs`, of one `kind`, as an iterable: run by run, in the order in which they were made.

    Nothing is kept: each iteration reads the files again, and holds those of one run at a time. A Refusal
    where the files of a run are gone.
    """

    kind: type[T]
    runs: "list[Run]"
    read: "Callable[[Run], Iterable[T]]"

    def __iter__(self) -> Iterator[T]:
        for run in self.runs:
            yield from self.read(run)

    def __repr__(self) -> str:
        count = len(self.runs)
        return f"<{self.kind.__name__} records of {count} {'run' if count == 1 else 'runs'}>"

    def of(self, runs: "Iterable[Run]") -> "Records[T]":
        """Those of some runs alone; the files of others are not read."""
        return Records(self.kind, list(runs), self.read)

    def arrow(self) -> "pyarrow.Table":
        """All of them as a `pyarrow.Table`, units in the fields' metadata; a Refusal without pyarrow."""
        return arrow.table(self.kind, map(self.read, self.runs))

    def pandas(self) -> "pandas.DataFrame":
        """All of them as a `pandas.DataFrame`; a Refusal without pandas."""
        return frame.frame(self.kind, self)
