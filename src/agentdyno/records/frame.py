"""Records as a pandas data frame."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from agentdyno.records.column import columns, not_installed
from agentdyno.records.record import Label, Record

if TYPE_CHECKING:
    import pandas

TYPES = {Label: "category", str: "string", int: "int64", float: "float64", bool: "bool"}
NULLABLE = TYPES | {int: "Int64"}
"""The same where a value can be missing; in a column of floats it is NaN, which NumPy understands."""


def frame(kind: type[Record], records: Iterable[Record]) -> "pandas.DataFrame":
    """A column for each field, with the kind's types even if there is no record. A Refusal without pandas."""
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
