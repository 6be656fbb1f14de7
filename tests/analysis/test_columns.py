"""Records kept as columns are the records that were put in, and an analysis of them takes little memory."""

import tracemalloc
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from analysis_memory import run_folder, write_run
from hypothesis import given
from hypothesis import strategies as st

from agentdyno.analysis.run_analysis import analyse
from agentdyno.results.summary import ledger_csv
from agentdyno.rundata.columns import Columns, Sha256, by_task
from agentdyno.rundata.raw_run import read

TEXTS = st.text(max_size=5)
NUMBERS = st.integers(-(2**63) + 1, 2**63 - 1) | st.sampled_from([-(2**31), 2**31 - 1, 2**31])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
)
HASHES = st.binary(min_size=32, max_size=32).map(bytes.hex)


class Inner(NamedTuple):
    real: float
    maybe: float | None


class Everything(NamedTuple):
    task: str
    number: int
    maybe: int | None
    text: str | None
    sha256: Sha256 | None
    fact: bool
    document: dict[str, Any] | None
    inner: Inner


REALS = st.floats(allow_nan=False)
RECORDS = st.builds(
    Everything,
    task=TEXTS,
    number=NUMBERS,
    maybe=st.none() | NUMBERS,
    text=st.none() | TEXTS,
    sha256=st.none() | HASHES | HASHES.map(str.upper) | TEXTS | st.just("ä" * 64),
    fact=st.booleans(),
    document=st.none() | st.dictionaries(TEXTS, JSON, max_size=4),
    inner=st.builds(Inner, REALS, st.none() | REALS),
)


@given(st.lists(RECORDS))
def test_what_goes_in_comes_out(records: list[Everything]) -> None:
    columns = Columns(Everything, records)
    assert list(columns) == records
    assert len(columns) == len(records)
    assert [columns[at] for at in range(len(records))] == records
    assert [columns[at] for at in range(-len(records), 0)] == records
    assert list(columns.of("task", "maybe")) == [(record.task, record.maybe) for record in records]
    assert list(columns.without("document", "text")) == [
        record._replace(document=None, text=None) for record in records
    ]
    positions = by_task(columns)
    assert {task: [records[at] for at in its] for task, its in positions.items()} == {
        task: [record for record in records if record.task == task] for task in positions
    }
    assert sum(map(len, positions.values())) == len(records)


@given(st.lists(RECORDS, min_size=1, max_size=3), st.sampled_from(["number", "maybe"]))
def test_a_record_with_too_large_a_number_is_left_out_as_a_whole(
    records: list[Everything], field: str
) -> None:
    columns = Columns(Everything, records)
    with pytest.raises(ValueError, match="63 bits"):
        columns.append(records[0]._replace(**{field: 2**63}))
    columns.append(records[0])
    assert list(columns) == [*records, records[0]]


def test_equal_texts_are_kept_once() -> None:
    class Named(NamedTuple):
        task: str

    names = ["".join(["builtin/", str(number // 2)]) for number in range(4)]
    columns = Columns(Named, map(Named, names))
    assert len({id(name) for name in columns.column("task")}) == 2


def peak_bytes(folder: Path, tasks: int) -> int:
    """The peak of memory in an analysis of a run of so many tasks, with everything that is kept of it."""
    write_run(folder, tasks)
    run, cell = run_folder(folder)
    tracemalloc.start()
    try:
        found, entries = analyse(read(run, cell, 1))
        assert len(found.tasks) == tasks
        assert sum(1 for _ in ledger_csv(entries)) > tasks
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_an_analysis_takes_less_than_2_kib_a_task(tmp_path: Path) -> None:
    few, many = (peak_bytes(tmp_path / str(tasks), tasks) for tasks in (200, 700))
    assert (many - few) / 500 < 2048
