"""Task lists: load, repeat and write them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from itertools import cycle, islice
from pathlib import Path

from agentdyno.errors import UserError
from agentdyno.files import write_bytes
from agentdyno.project import ROOT
from agentdyno.tasks import builtin
from agentdyno.tasks.task import Task, read

HUMANEVAL = Path("dataset", "humaneval_100.json")


def load(source: str, limit: int | None) -> list[Task]:
    """The tasks of `source`: `builtin`, `humaneval`, or the path of a dataset in JSON or JSON lines.

    With a limit, the list has exactly that many tasks: it is cut, or repeated (see `repeat`). With None, it
    has all tasks. Raises UserError if the source cannot be read or a task in it is malformed.
    """
    if limit is not None and limit < 1:
        raise UserError(f"a limit of {limit} tasks leaves no task; give 1 or more")
    if source == "builtin":
        tasks = builtin.problems()
    elif source == "humaneval":
        tasks = read(_humaneval_file())
    else:
        tasks = read(Path(source))
    return tasks if limit is None else repeat(tasks, limit)


def repeat(tasks: list[Task], count: int) -> list[Task]:
    """The first `count` tasks of the repeated list; the ids of repetitions end in `#2`, `#3` …"""
    if count and not tasks:
        raise UserError(f"an empty task list cannot be repeated to {count} tasks; give at least one task")
    return [
        replace(task, task_id=f"{task.task_id}#{1 + index // len(tasks)}") if index >= len(tasks) else task
        for index, task in enumerate(islice(cycle(tasks), count))
    ]


def write(
    path: Path, tasks: Iterable[Task], *, references: bool, starts: Sequence[int] | None = None
) -> None:
    """Write the tasks as JSON lines, atomically; without `references`, the key `reference` is absent.

    With `starts`, one for each task, every line has a `start_after_ns` (CONTRACT.md). Raises UserError if the
    folder is missing or cannot be written.
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
    for folder in (Path(), ROOT):
        if (folder / HUMANEVAL).is_file():
            return folder / HUMANEVAL
    raise UserError(
        f"{HUMANEVAL} does not exist; make it: agentdyno dataset humaneval --limit 100 -o {HUMANEVAL}"
    )
