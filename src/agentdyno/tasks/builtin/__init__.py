"""The built-in problems.

A problem is two files of this folder. `NAME.py` is the reference: a whole module that defines the entry
point `NAME`; everything down to the end of `NAME`'s docstring is the prompt. `NAME_tests.py` is the pytest
module.
"""

import ast
from functools import cache
from importlib.resources import files

from agentdyno.tasks.task import Task

ORDER = (
    "column_words",
    "outline_numbers",
    "compress_ranges",
    "unzigzag",
    "balanced_ternary",
    "shift_months",
    "merge_shifts",
    "build_order",
    "two_camps",
    "settle",
)
"""Entry points in the order of their task ids. New problems go to the end: an id, once given, stays."""


def problems() -> list[Task]:
    """Every built-in problem, `builtin/0` first."""
    return list(_problems())


@cache
def _problems() -> tuple[Task, ...]:
    return tuple(_problem(f"builtin/{number}", name) for number, name in enumerate(ORDER))


def _problem(task_id: str, name: str) -> Task:
    folder = files(__name__)
    reference = (folder / f"{name}.py").read_text(encoding="utf-8")
    tests = (folder / f"{name}_tests.py").read_text(encoding="utf-8")
    return Task(task_id, _head(reference, name), tests, name, reference)


def _head(reference: str, name: str) -> str:
    """The module down to the last line of the docstring of function `name`."""
    for node in ast.parse(reference).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            docstring = node.body[0]
            return "".join(reference.splitlines(keepends=True)[: docstring.end_lineno])
    raise LookupError(f"built-in problem {name} does not define a function of that name")
