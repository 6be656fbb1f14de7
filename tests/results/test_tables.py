"""Records as tables: nothing is lost on the way, and the types do not depend on what is there."""

import io
import subprocess
import sys
from dataclasses import asdict, fields
from typing import Any, get_type_hints

import pandas
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

import agentdyno
from agentdyno.results.records import Record

KINDS = [agentdyno.Value, agentdyno.Task, agentdyno.Attempt, agentdyno.Request, agentdyno.Sample]
ANY = {
    str: st.text(max_size=5),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False),
    bool: st.booleans(),
}
LABELS = {"runtime", "verifier", "profile", "control", "verdict", "outcome", "finish", "metric", "unit"}


def records_of(kind: type[Record]) -> st.SearchStrategy[Any]:
    """Records with anything in them, None wherever it can be."""
    hints = get_type_hints(kind)
    drawn = {
        name: ANY[hint] if hint in ANY else st.none() | ANY[hint.__args__[0]] for name, hint in hints.items()
    }
    return st.builds(kind, **drawn)


def in_runs(kind: type[Any], *runs: list[Any]) -> agentdyno.Records[Any]:
    """Records as if an experiment's runs had held them."""
    held: Any = list(range(len(runs)))
    return agentdyno.Records(kind, held, lambda run: runs[run])  # type: ignore[call-overload]


def in_a_file(table: pyarrow.Table) -> io.BytesIO:
    file = io.BytesIO()
    parquet.write_table(table, file)
    file.seek(0)
    return file


def there(frame: pandas.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame with None for what pandas has other names for."""
    columns = {
        name: [None if pandas.isna(value) else value for value in frame[name]] for name in frame.columns
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None)
@given(st.data())
def test_nothing_is_lost(kind: type[Record], data: st.DataObject) -> None:
    runs = data.draw(st.lists(st.lists(records_of(kind), max_size=3), max_size=3))
    records, rows = in_runs(kind, *runs), [asdict(record) for run in runs for record in run]
    table, frame = records.arrow(), records.pandas()
    assert table.to_pylist() == rows
    assert there(frame) == rows

    reread = parquet.read_table(in_a_file(table))
    assert reread.schema.equals(table.schema, check_metadata=True)
    assert reread.to_pylist() == rows

    file = io.BytesIO()
    frame.to_parquet(file)
    assert there(pandas.read_parquet(file)) == rows


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=5, deadline=None)
@given(st.data())
def test_types_do_not_depend_on_what_is_there(kind: type[Record], data: st.DataObject) -> None:
    empty = in_runs(kind)
    some = in_runs(kind, data.draw(st.lists(records_of(kind), max_size=3)), [])
    assert some.arrow().schema.equals(empty.arrow().schema, check_metadata=True)
    types = {name: str(dtype) for name, dtype in some.pandas().dtypes.items()}
    assert types == {name: str(dtype) for name, dtype in empty.pandas().dtypes.items()}
    assert list(types) == empty.arrow().column_names == [field.name for field in fields(kind)]
    for name, hint in get_type_hints(kind).items():
        expected = {str: "string", int: "int64", float: "float64", bool: "bool"}
        nullable = hint not in ANY
        of = hint.__args__[0] if nullable else hint
        in_arrow = empty.arrow().schema.field(name)
        assert in_arrow.nullable is nullable
        if name in LABELS:
            assert types[name] == "category"
            assert str(in_arrow.type) == "dictionary<values=string, indices=int32, ordered=0>"
        else:
            assert types[name] == ("Int64" if of is int and nullable else expected[of])
            assert str(in_arrow.type) == {"float64": "double"}.get(expected[of], expected[of])


def test_units(experiment: agentdyno.Experiment) -> None:
    def units(table: pyarrow.Table) -> dict[str, str]:
        return {field.name: field.metadata[b"unit"].decode() for field in table.schema if field.metadata}

    assert units(experiment.samples.arrow()) == {
        "t_ms": "ms",
        "rss_kib": "KiB",
        "peak_rss_kib": "KiB",
        "tree_pss_kib": "KiB",
        "tools_pss_kib": "KiB",
        "cpu_s": "s",
        "endpoint_cpu_s": "s",
    }
    of_attempts = units(experiment.attempts.arrow())
    assert set(of_attempts.values()) == {"ms"}
    assert {"t_begin_ms", "overhead_ms"} < set(of_attempts)
    assert units(experiment.requests.arrow()).keys() == {"t_arrive_ms", "t_last_ms", "max_late_ms"}
    assert units(experiment.values.arrow()) == {}  # they differ from line to line, in a column of their own


def test_tables_of_an_experiment_hold_its_records(experiment: agentdyno.Experiment) -> None:
    for name in ("values", "tasks", "attempts", "requests", "samples"):
        records = getattr(experiment, name)
        rows = [asdict(record) for record in records]
        assert records.arrow().to_pylist() == rows
        assert there(records.pandas()) == rows


@pytest.mark.parametrize(("package", "method"), [("pyarrow", "arrow"), ("pandas", "pandas")])
def test_a_package_that_is_not_installed(package: str, method: str, experiment: agentdyno.Experiment) -> None:
    script = (
        f"import sys; sys.modules[{package!r}] = None\n"
        f"import agentdyno\n"
        f"attempts = agentdyno.open_experiment({str(experiment.path)!r}).attempts\n"
        f"print(len(list(attempts)) > 0)\n"
        f"try: attempts.{method}()\n"
        f"except agentdyno.UserError as refusal: print(refusal)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == [
        "True",
        f"this table takes {package}, which is not installed here; pip install {package}",
    ]
    assert done.stderr == ""
