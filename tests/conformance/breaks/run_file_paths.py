"""Breaks of how the files and folders that a run file names are read."""

import json
import os
from collections.abc import Iterator
from typing import Any

from breaks.declare import Break
from breaks.run_file_fields import events_are_appended


def tasks_are_read_at_work() -> None:
    from agentloop import run

    run.check_tasks = lambda path: 1


def no_tasks_is_all_done() -> None:
    from agentloop import run

    check_tasks = run.check_tasks
    run.check_tasks = lambda path: check_tasks(path) if os.path.getsize(path) else 1


def entry_point_is_not_needed() -> None:
    from agentloop import tasks

    text = tasks.Fields.text
    tasks.Fields.text = (  # type: ignore[method-assign]
        lambda self, name: "" if name == "entry_point" else text(self, name)
    )


def lines_end_as_python_likes() -> None:
    from agentloop import run, tasks

    def load(path: str) -> Iterator[tasks.Task]:
        with open(path) as file:
            for line in file.read().splitlines():
                yield tasks.Task(**json.loads(line))

    tasks.load_tasks = run.load_tasks = load


def prompts_have_defaults() -> None:
    from agentloop import messages

    class Lenient(messages.Fields):
        def text(self, name: str) -> str:
            return super().text(name) if name in self._values else "default"

    messages.Fields = Lenient  # type: ignore[misc]


def workspaces_are_made() -> None:
    from agentloop import fields

    def changed(self: Any, name: str) -> str:
        os.makedirs(self.path(name), exist_ok=True)
        return str(self.path(name))

    fields.Fields.writable_folder = changed  # type: ignore[method-assign]


def workspaces_are_believed() -> None:
    from agentloop import fields

    fields.Fields.writable_folder = fields.Fields.path  # type: ignore[method-assign]


def the_folder_of_events_is_made() -> None:
    from agentloop import events

    init = events.EventFile.__init__

    def changed(self: Any, path: str) -> None:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        init(self, path)

    events.EventFile.__init__ = changed  # type: ignore[method-assign]


BREAKS = [
    Break("run-file.tasks", "read at work", "run-file.tasks/a broken line", tasks_are_read_at_work),
    Break("run-file.tasks", "none is all done", "run-file.tasks/none", no_tasks_is_all_done),
    Break(
        "run-file.tasks",
        "entry_point is not needed",
        "run-file.tasks/a field missing or of another type",
        entry_point_is_not_needed,
    ),
    Break("run-file.tasks", "lines of Python", "run-file.tasks/line ends", lines_end_as_python_likes),
    Break(
        "run-file.prompts",
        "defaults",
        "run-file.prompts/a field missing or of another type",
        prompts_have_defaults,
    ),
    Break("run-file.workspaces", "made", "run-file.workspaces/not there", workspaces_are_made),
    Break("run-file.workspaces", "believed", "run-file.workspaces/not writable", workspaces_are_believed),
    Break("run-file.events", "appended to", "run-file.events/there already", events_are_appended),
    Break(
        "run-file.events",
        "the folder is made",
        "run-file.events/in a folder that is not there",
        the_folder_of_events_is_made,
    ),
]
