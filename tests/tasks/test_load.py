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
NOT_A_NAME = "not a Python name; name the function to call"
NOT_AN_OBJECT = "not a JSON object; give one object per task"
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
        ("{", f"PATH:1: not JSON at column 2 ({NO_NAME}); correct it or remove it"),
        (LINE + "\n{]\n", f"PATH:2: not JSON at column 2 ({NO_NAME}); correct it or remove it"),
        (LINE + "\n\nnull\n", f"PATH:3: is NoneType, {NOT_AN_OBJECT}"),
        (LINE + "\n" + LINE, "PATH:2: task id 'a/0' occurs twice; give every task an id of its own"),
        ("[]", "PATH: is not an object with a list 'tasks'; see docs/tasks.md for the format"),
        ("7", "PATH: is not an object with a list 'tasks'; see docs/tasks.md for the format"),
        ('{"tasks": 3}', "PATH: is not an object with a list 'tasks'; see docs/tasks.md for the format"),
        ('{"tasks": []}', "PATH: schema_version is None, not 1; make the dataset again"),
        ('{"schema_version": 2, "tasks": []}', "PATH: schema_version is 2, not 1; make the dataset again"),
        ('{"schema_version": 1, "tasks": [3]}', f"PATH: tasks[0]: is int, {NOT_AN_OBJECT}"),
        ("{}", "PATH:1: field 'task_id' is missing; add it"),
        (without("prompt"), "PATH:1: field 'prompt' is missing; add it"),
        (LINE + "\n" + without("tests"), "PATH:2: field 'tests' is missing; add it"),
        (without("entry_point"), "PATH:1: field 'entry_point' is missing; add it"),
        (changed(task_id=3), "PATH:1: field 'task_id' is int, not a string; make it one"),
        (changed(prompt=""), "PATH:1: field 'prompt' is empty; fill it in"),
        (changed(reference=["x"]), "PATH:1: field 'reference' is list, not a string; make it one"),
        (changed(tests="\ud800"), f"PATH:1: field 'tests' {HALF}"),
        (changed(entry_point="f()"), f"PATH:1: field 'entry_point' is 'f()', {NOT_A_NAME}"),
        (changed(entry_point="if"), f"PATH:1: field 'entry_point' is 'if', {NOT_A_NAME}"),
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
        (missing, "no such file; give builtin, humaneval or the path of a dataset"),
        (tmp_path, "cannot be read (Is a directory); give a readable dataset file"),
        (binary, "byte 7 is not UTF-8; save the dataset as UTF-8"),
    ]:
        with pytest.raises(UserError) as refusal:
            load(str(path), None)
        assert str(refusal.value) == f"{path}: {message}"


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
