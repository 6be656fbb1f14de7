"""One coding problem, and the reader of dataset files, which are one JSON document or JSON lines.

Each error starts with the place in the file.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from keyword import iskeyword
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from agentdyno.errors import UserError
from agentdyno.reading import decoded, parse_json, read_bytes
from agentdyno.shape import Must, Text, Unfit, shaped
from agentdyno.tasks.layouts import foreign_layout, remedy_of_format

T = TypeVar("T")
FunctionName = Annotated[
    str,
    Must("the name of a Python function", lambda name: name.isidentifier() and not iskeyword(name)),
]


@dataclass(frozen=True, slots=True)
class Task:
    """A problem that an agent works on.

    `prompt` is Python source that ends in the entry point's docstring. `tests` is a complete pytest module
    that starts with `from solution import *`. `reference` is a complete module that passes the tests; the
    simulated endpoint knows it, and a runtime never does.
    """

    task_id: Text
    prompt: Text
    tests: Text
    entry_point: FunctionName
    reference: Text | None = None


SCHEMA_VERSION = 1
REMEDY = "give builtin, humaneval or the path of a task file (docs/tasks.md)"


@dataclass(frozen=True, slots=True)
class _Document:
    schema_version: Literal[1]
    tasks: list[object]


def read(path: Path) -> list[Task]:
    """All tasks of a dataset file.

    Raises UserError, with the file and the line or the position, if the file is missing, empty or malformed,
    if it holds no task, or if two tasks have the same id.
    """
    content = read_bytes(path, REMEDY)
    text = decoded(content, path, remedy_of_format(content, path))
    if not text.strip():
        raise UserError(f"{path}: is empty; a dataset needs at least one task")
    tasks: dict[str, Task] = {}
    for where, record in _records(path, text):
        task = task_of(record, Task, where, path)
        if task.task_id in tasks:
            raise UserError(
                f"{where}: task id {task.task_id!r} occurs twice; give every task an id of its own"
            )
        tasks[task.task_id] = task
    if not tasks:
        raise UserError(f"{path}: holds no task; a dataset needs at least one")
    return list(tasks.values())


def task_of(record: object, kind: type[T], where: str, path: Path) -> T:
    """The `kind` that a JSON value at `where` is; a UserError says what is wrong, or what it is instead."""
    try:
        return shaped(record, kind)
    except Unfit as wrong:
        if (other := foreign_layout(record, set(kind.__annotations__), path)) is not None:
            raise UserError(f"{where}: {other}") from None
        raise UserError(f"{where}: {wrong}; docs/tasks.md has the format") from None


def json_of(text: str, where: str) -> object:
    """The value of a JSON text at `where`; raises UserError if it is none."""
    try:
        value: object = parse_json(text)
    except ValueError as error:
        raise UserError(f"{where}: {error}; correct it or remove it") from None
    return value


def _records(path: Path, text: str) -> Iterator[tuple[str, object]]:
    """The JSON value of every task, with its place in the file."""
    lines = [(f"{path}:{number}", line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if len(lines) > 1 and _is_whole(lines[0][1]):
        for where, line in lines:
            yield where, json_of(line, where)
        return
    document = json_of(text, str(path))
    if isinstance(document, dict) and "tasks" not in document:
        yield f"{path}:1", document
        return
    for index, record in enumerate(task_of(document, _Document, str(path), path).tasks):
        yield f"{path}: tasks[{index}]", record


def _is_whole(line: str) -> bool:
    """Whether a line is a JSON value by itself, as each of JSON lines is."""
    try:
        parse_json(line)
    except ValueError:
        return False
    return True
