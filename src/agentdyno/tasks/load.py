"""Task lists: found, read, repeated and written."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from itertools import cycle, islice
from pathlib import Path

from agentdyno.errors import UserError
from agentdyno.files import write_bytes
from agentdyno.tasks import builtin
from agentdyno.tasks.records import as_object, entry_point_field, malformed, parse_line, text_field
from agentdyno.tasks.task import Task

SCHEMA_VERSION = 1
HUMANEVAL = Path("dataset", "humaneval_100.json")
_REPOSITORY = Path(__file__).resolve().parents[3]


def load(source: str, limit: int | None) -> list[Task]:
    """The tasks of `source`: `builtin`, `humaneval`, or the path of a dataset in JSON or JSON lines.

    With a limit there are exactly that many, the list being cut or repeated (see `repeat`); with None, all
    there are. Raises UserError when the source cannot be read or a task in it is not one.
    """
    if limit is not None and limit < 1:
        raise UserError(f"a limit of {limit} tasks leaves nothing to do; give 1 or more")
    if source == "builtin":
        tasks = builtin.problems()
    elif source == "humaneval":
        tasks = read(_humaneval_file())
    else:
        tasks = read(Path(source))
    return tasks if limit is None else repeat(tasks, limit)


def repeat(tasks: list[Task], count: int) -> list[Task]:
    """`count` tasks: the list, repeated as often as needed; later rounds have ids that end in `#2`, `#3` …"""
    if count and not tasks:
        raise UserError(f"an empty task list cannot be repeated to {count} tasks; give at least one task")
    return [
        replace(task, task_id=f"{task.task_id}#{1 + index // len(tasks)}") if index >= len(tasks) else task
        for index, task in enumerate(islice(cycle(tasks), count))
    ]


def read(path: Path) -> list[Task]:
    """All tasks of a dataset file, which is one JSON document or JSON lines.

    Raises UserError, naming the file and the line or the position, when it is missing, empty or malformed,
    holds no task, or holds two with one id.
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
                f"{where}: task id {task.task_id!r} is there twice; give every task an id of its own"
            )
        tasks[task.task_id] = task
    if not tasks:
        raise UserError(f"{path}: holds no task; a dataset needs at least one")
    return list(tasks.values())


def write(
    path: Path, tasks: Iterable[Task], *, references: bool, starts: Sequence[int] | None = None
) -> None:
    """Write the tasks as JSON lines, atomically; without `references` that key is absent.

    With `starts`, one a task, each has its `start_after_ns` (CONTRACT.md). Raises UserError when the folder
    is missing or cannot be written.
    """
    lines = []
    for number, task in enumerate(tasks):
        record = asdict(task)
        if starts is not None:
            record["start_after_ns"] = starts[number]
        if not references or task.reference is None:
            del record["reference"]
        lines.append(json.dumps(record, ensure_ascii=False) + "\n")
    write_bytes(path, "".join(lines).encode())


def _humaneval_file() -> Path:
    for folder in (Path(), _REPOSITORY):
        if (folder / HUMANEVAL).is_file():
            return folder / HUMANEVAL
    raise UserError(
        f"{HUMANEVAL} is not there; make it: agentdyno dataset humaneval --limit 100 -o {HUMANEVAL}"
    )


def _records(path: Path, text: str) -> list[tuple[str, object]]:
    """Every task's JSON value, with where it is."""
    if not text.strip():
        raise UserError(f"{path}: is empty; a dataset needs at least one task")
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise malformed(f"{path}:{error.lineno}", error) from None
        # A whole value followed by more: JSON lines.
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
