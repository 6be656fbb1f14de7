"""One coding problem, and the reader of dataset files, which are one JSON document or JSON lines.

Each error starts with the place in the file.
"""

import json
from dataclasses import dataclass
from keyword import iskeyword
from pathlib import Path

from agentdyno.errors import UserError


@dataclass(frozen=True, slots=True)
class Task:
    """A problem that an agent works on.

    `prompt` is Python source that ends in the entry point's docstring. `tests` is a complete pytest module
    that starts with `from solution import *`. `reference` is a complete module that passes the tests; the
    simulated endpoint knows it, and a runtime never does.
    """

    task_id: str
    prompt: str
    tests: str
    entry_point: str
    reference: str | None = None


SCHEMA_VERSION = 1


def read(path: Path) -> list[Task]:
    """All tasks of a dataset file.

    Raises UserError, with the file and the line or the position, if the file is missing, empty or malformed,
    if it holds no task, or if two tasks have the same id.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; give builtin, humaneval or the path of a dataset") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); give a readable dataset file") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: byte {error.start} is not UTF-8; save the dataset as UTF-8") from None

    tasks: dict[str, Task] = {}
    for where, record in _records(path, text):
        task = _task(where, record)
        if task.task_id in tasks:
            raise UserError(
                f"{where}: task id {task.task_id!r} occurs twice; give every task an id of its own"
            )
        tasks[task.task_id] = task
    if not tasks:
        raise UserError(f"{path}: holds no task; a dataset needs at least one")
    return list(tasks.values())


def parse_line(where: str, line: str) -> object:
    """The JSON value of one line; raises UserError if the line is not JSON."""
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise malformed(where, error) from None


def malformed(where: str, error: json.JSONDecodeError) -> UserError:
    """The error for text that is not JSON."""
    return UserError(f"{where}: not JSON at column {error.colno} ({error.msg}); correct it or remove it")


def as_object(where: str, value: object) -> dict[str, object]:
    """`value` as a JSON object; raises UserError if it is another type."""
    if not isinstance(value, dict):
        raise UserError(f"{where}: is {type(value).__name__}, not a JSON object; give one object per task")
    return value


def text_field(where: str, record: dict[str, object], name: str) -> str:
    """The string `record[name]`; raises UserError if it is missing, empty or another type."""
    if name not in record:
        raise UserError(f"{where}: field {name!r} is missing; add it")
    value = record[name]
    if not isinstance(value, str):
        raise UserError(f"{where}: field {name!r} is {type(value).__name__}, not a string; make it one")
    if not value:
        raise UserError(f"{where}: field {name!r} is empty; fill it in")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UserError(
            f"{where}: field {name!r} holds half a surrogate pair; write whole characters"
        ) from None
    return value


def entry_point_field(where: str, record: dict[str, object]) -> str:
    """The name of the entry point; raises UserError if it is not a Python name."""
    name = text_field(where, record, "entry_point")
    if not name.isidentifier() or iskeyword(name):
        raise UserError(
            f"{where}: field 'entry_point' is {name!r}, not a Python name; name the function to call"
        )
    return name


def _records(path: Path, text: str) -> list[tuple[str, object]]:
    """The JSON value of every task, with its place in the file."""
    if not text.strip():
        raise UserError(f"{path}: is empty; a dataset needs at least one task")
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise malformed(f"{path}:{error.lineno}", error) from None
        # A complete value with more after it: JSON lines.
        lines = ((f"{path}:{number}", line) for number, line in enumerate(text.split("\n"), 1))
        return [(where, parse_line(where, line)) for where, line in lines if line.strip()]
    if isinstance(document, dict) and "tasks" not in document:
        return [(f"{path}:1", document)]
    if not isinstance(document, dict) or not isinstance(document["tasks"], list):
        raise UserError(f"{path}: is not an object with a list 'tasks'; see docs/tasks.md for the format")
    if document.get("schema_version") != SCHEMA_VERSION:
        found = document.get("schema_version")
        raise UserError(f"{path}: schema_version is {found!r}, not {SCHEMA_VERSION}; make the dataset again")
    return [(f"{path}: tasks[{index}]", record) for index, record in enumerate(document["tasks"])]


def _task(where: str, record: object) -> Task:
    fields = as_object(where, record)
    return Task(
        task_id=text_field(where, fields, "task_id"),
        prompt=text_field(where, fields, "prompt"),
        tests=text_field(where, fields, "tests"),
        entry_point=entry_point_field(where, fields),
        reference=None if fields.get("reference") is None else text_field(where, fields, "reference"),
    )
