"""Records as an Arrow table."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from agentdyno.records.column import columns, not_installed
from agentdyno.records.record import Label, Record

if TYPE_CHECKING:
    import pyarrow


def table(kind: type[Record], batches: Iterable[Iterable[Record]]) -> "pyarrow.Table":
    """A column for each field, its unit in the field's metadata; a record batch for each of `batches`.

    The types are the kind's, whatever the records are and even if there is none. A Refusal without pyarrow.
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
