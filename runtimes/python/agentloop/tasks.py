"""The tasks file: JSON lines, one coding problem each."""

from collections.abc import Iterator
from dataclasses import dataclass

from agentloop.fields import Fields, InvalidInput


@dataclass(frozen=True, slots=True)
class Task:
    """One coding problem: the specification in `prompt`, and the pytest module that a solution must pass.

    `start_after_ns` is when it is to begin, at the earliest, from the start of the run.
    """

    task_id: str
    prompt: str
    tests: str
    entry_point: str
    start_after_ns: int = 0


def load_tasks(path: str) -> Iterator[Task]:
    """Yield the tasks of a file one by one, so that those that wait take no memory; raises `InvalidInput`."""
    try:
        with open(path, encoding="utf-8", newline="\n") as lines:
            for number, line in enumerate(lines, start=1):
                fields = Fields.of_text(f"{path}, line {number}", line)
                yield Task(
                    task_id=fields.text("task_id"),
                    prompt=fields.text("prompt"),
                    tests=fields.text("tests"),
                    entry_point=fields.text("entry_point"),
                    start_after_ns=fields.nanoseconds("start_after_ns"),
                )
    except (OSError, UnicodeDecodeError) as failure:
        raise InvalidInput(f"{path}: cannot be read ({failure}); name a UTF-8 file that is there") from None


def check_tasks(path: str) -> int:
    """Return how many tasks there are.

    Raises `InvalidInput` when there are none, one does not load, or two have the same name.
    """
    seen: set[str] = set()
    for task in load_tasks(path):
        if task.task_id in seen:
            raise InvalidInput(f"{path}: task_id {task.task_id!r} is there twice; give every task its own")
        seen.add(task.task_id)
    if not seen:
        raise InvalidInput(f"{path}: holds no task; write one JSON object a line there")
    return len(seen)
