import gzip
import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentdyno.errors import UserError
from agentdyno.tasks import load as load_module
from agentdyno.tasks.load import load, repeat, write
from agentdyno.tasks.task import Task, read

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
TASKS = st.lists(
    st.builds(
        Task,
        task_id=TEXT,
        prompt=TEXT,
        tests=TEXT,
        entry_point=st.from_regex(r"[a-z_]{2,}_[a-z]+", fullmatch=True),
        reference=st.none() | TEXT,
    ),
    min_size=1,
    unique_by=lambda task: task.task_id,
)

RECORD = {"task_id": "a/0", "prompt": "def f(): pass", "tests": "from solution import *", "entry_point": "f"}
LINE = json.dumps(RECORD)

NO_NAME = "Expecting property name enclosed in double quotes"
NOT_A_NAME = "must be the name of a Python function"
GIVE = "give builtin, humaneval or the path of a task file (docs/tasks.md)"
FORMAT = "docs/tasks.md has the format"
HALF = "holds half a surrogate pair; write whole characters"


def test_builtin_repeats_up_to_the_limit():
    everything = load("builtin", None)
    assert load("builtin", 3) == everything[:3]
    hundred = load("builtin", 100)
    assert len(hundred) == 100
    assert len({task.task_id for task in hundred}) == 100
    assert hundred[: len(everything)] == everything
    assert hundred[len(everything)] == replace(everything[0], task_id="builtin/0#2")


@given(TASKS, st.integers(0, 40))
def test_repeat(tasks, count):
    repeated = repeat(tasks, count)
    assert len(repeated) == count
    for index, task in enumerate(repeated):
        round_, position = divmod(index, len(tasks))
        suffix = f"#{round_ + 1}" if round_ else ""
        assert task == replace(tasks[position], task_id=tasks[position].task_id + suffix)


def test_repeating_nothing_is_refused():
    assert repeat([], 0) == []
    with pytest.raises(UserError) as refusal:
        repeat([], 2)
    assert str(refusal.value) == "an empty task list cannot be repeated to 2 tasks; give at least one task"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TASKS, st.booleans())
def test_what_is_written_is_read_again(tmp_path, tasks, references):
    path = tmp_path / "tasks.jsonl"
    write(path, tasks, references=references)
    assert read(path) == [task if references else replace(task, reference=None) for task in tasks]
    assert len(path.read_bytes().rstrip(b"\n").split(b"\n")) == len(tasks)
    assert references or b'"reference"' not in b"".join(
        json.dumps(list(json.loads(line))).encode() for line in path.read_bytes().split(b"\n") if line
    )
    assert [entry.name for entry in tmp_path.iterdir()] == ["tasks.jsonl"]


def test_a_document_is_read(tmp_path):
    path = tmp_path / "tasks.json"
    document = {"schema_version": 1, "name": "mine", "source": {}, "tasks": [RECORD | {"reference": "r"}]}
    path.write_text(json.dumps(document, indent=2))
    assert load(str(path), None) == [Task("a/0", RECORD["prompt"], RECORD["tests"], "f", "r")]
    assert [task.task_id for task in load(str(path), 3)] == ["a/0", "a/0#2", "a/0#3"]


def test_humaneval_is_found_in_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "humaneval_100.json").write_text(LINE)
    assert [task.task_id for task in load("humaneval", None)] == ["a/0"]


def test_humaneval_not_made_yet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(load_module, "ROOT", tmp_path)
    with pytest.raises(UserError) as refusal:
        load("humaneval", 5)
    assert str(refusal.value) == (
        "dataset/humaneval_100.json does not exist; "
        "make it: agentdyno dataset humaneval --limit 100 -o dataset/humaneval_100.json"
    )


@pytest.mark.parametrize("limit", [0, -3])
def test_limits_below_one_are_refused(limit):
    with pytest.raises(UserError) as refusal:
        load("builtin", limit)
    assert str(refusal.value) == f"a limit of {limit} tasks leaves no task; give 1 or more"


def changed(**fields):
    return json.dumps(RECORD | fields)


def without(name):
    return json.dumps({field: value for field, value in RECORD.items() if field != name})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "PATH: is empty; a dataset needs at least one task"),
        (" \n\n", "PATH: is empty; a dataset needs at least one task"),
        ('{"schema_version": 1, "tasks": []}', "PATH: holds no task; a dataset needs at least one"),
        ("{", f"PATH: not JSON at column 2 ({NO_NAME}); correct it or remove it"),
        (LINE + "\n{]\n", f"PATH:2: not JSON at column 2 ({NO_NAME}); correct it or remove it"),
        (LINE + "\n\nnull\n", f"PATH:3: must be an object, and is null; {FORMAT}"),
        (LINE + "\n" + LINE, "PATH:2: task id 'a/0' occurs twice; give every task an id of its own"),
        ("[]", f"PATH: must be an object, and is a list of 0; {FORMAT}"),
        ("7", f"PATH: must be an object, and is 7; {FORMAT}"),
        ('{"tasks": 3}', f"PATH: schema_version: is missing; {FORMAT}"),
        ('{"schema_version": 1, "tasks": 3}', f"PATH: tasks: must be a list, and is 3; {FORMAT}"),
        ('{"schema_version": 2, "tasks": []}', f"PATH: schema_version: must be 1, and is 2; {FORMAT}"),
        ('{"schema_version": 1, "tasks": [3]}', f"PATH: tasks[0]: must be an object, and is 3; {FORMAT}"),
        ("{}", f"PATH:1: task_id: is missing; {FORMAT}"),
        (without("prompt"), f"PATH:1: prompt: is missing; {FORMAT}"),
        (LINE + "\n" + without("tests"), f"PATH:2: tests: is missing; {FORMAT}"),
        (without("entry_point"), f"PATH:1: entry_point: is missing; {FORMAT}"),
        (changed(task_id=3), f"PATH:1: task_id: must be a text, and is 3; {FORMAT}"),
        (changed(prompt=""), f'PATH:1: prompt: must be a text that is not empty, and is ""; {FORMAT}'),
        (changed(reference=["x"]), f"PATH:1: reference: must be a text, and is a list of 1; {FORMAT}"),
        (changed(tests="\ud800"), f"PATH:1: tests: {HALF}; {FORMAT}"),
        (changed(entry_point="f()"), f'PATH:1: entry_point: {NOT_A_NAME}, and is "f()"; {FORMAT}'),
        (changed(entry_point="if"), f'PATH:1: entry_point: {NOT_A_NAME}, and is "if"; {FORMAT}'),
    ],
)  # fmt: skip
def test_unusable_datasets_are_refused(tmp_path, content, message):
    path = tmp_path / "tasks.json"
    path.write_text(content)
    with pytest.raises(UserError) as refusal:
        load(str(path), None)
    assert str(refusal.value) == message.replace("PATH", str(path))


def test_unreadable_datasets_are_refused(tmp_path):
    missing, binary = tmp_path / "missing.json", tmp_path / "binary.json"
    binary.write_bytes(b'{"a": "\xff"}')
    for path, message in [
        (missing, f"no such file; {GIVE}"),
        (tmp_path, f"cannot be read (Is a directory); {GIVE}"),
        (binary, "byte 7 is not UTF-8; save it as JSON lines in UTF-8"),
    ]:
        with pytest.raises(UserError) as refusal:
            load(str(path), None)
        assert str(refusal.value) == f"{path}: {message}"


HUMANEVAL = RECORD | {"canonical_solution": "    pass", "test": "def check(f): ..."}
del HUMANEVAL["tests"]
MBPP = {"task_id": 2, "text": "Write …", "code": "def f(): …", "test_list": ["assert f() is None"]}
PAGE = {"features": [], "rows": [{"row_idx": 0, "row": HUMANEVAL, "truncated_cells": []}], "partial": False}
MAKES = "agentdyno dataset humaneval"


@pytest.mark.parametrize(
    ("content", "what", "remedy"),
    [
        (b"\xef\xbb\xbf" + LINE.encode(), "begins with a byte order mark", "save it as UTF-8 without one"),
        (LINE.encode("utf-16"), "is UTF-16", "in UTF-8"),
        (gzip.compress(LINE.encode()), "is compressed with gzip", f"{MAKES} --file PATH"),
        (b"PAR1\x15\x04PAR1", "is a Parquet file", f"{MAKES} --file"),
        (json.dumps(HUMANEVAL).encode(), "has the fields of HumanEval", f"{MAKES} --file PATH"),
        (LINE.encode() + b"\n" + json.dumps(HUMANEVAL).encode(), "PATH:2: has the fields", f"{MAKES} --file"),
        (json.dumps(MBPP).encode(), "has the fields of MBPP", "docs/tasks.md"),
        (json.dumps(PAGE).encode(), "is a page of a hub's API", MAKES),
        (json.dumps(PAGE["rows"][0]).encode(), "is a row of a hub's API", MAKES),
    ],
)
def test_a_file_of_another_kind_is_named_with_the_command_that_reads_it(tmp_path, content, what, remedy):
    path = tmp_path / "tasks"
    path.write_bytes(content)
    with pytest.raises(UserError) as refusal:
        load(str(path), None)
    said = str(refusal.value).replace(str(path), "PATH")
    assert said.startswith("PATH")
    assert what in said
    assert remedy in said
    assert "\n" not in said


def test_a_file_that_cannot_be_written_is_refused_and_leaves_nothing(tmp_path):
    with pytest.raises(UserError) as refusal:
        write(tmp_path / "no" / "tasks.jsonl", load("builtin", 1), references=True)
    assert str(refusal.value) == (
        f"{tmp_path}/no/tasks.jsonl: folder {tmp_path}/no does not exist; create it or choose another path"
    )
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError) as refusal:
        write(tmp_path / "folder", load("builtin", 1), references=True)
    assert str(refusal.value) == (
        f"{tmp_path}/folder: cannot be written (Is a directory); choose another path"
    )
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]
