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
    "short_names",
    "mask_numbers",
    "quoted_fields",
    "fill_template",
    "spell_span",
    "weekday_count",
    "read_number_words",
    "chained_sum",
    "write_polynomial",
    "repeated_tail",
    "versions_sorted",
    "shelf_order",
    "deal_round",
    "busiest",
    "podium",
    "longest_climb",
    "tile_path",
    "fair_split",
    "rotate_rings",
    "diagonal_weave",
    "fence_length",
    "no_twins",
    "unit_fractions",
    "fill_crate",
    "stroll",
    "share_rooms",
    "trimmed_mean",
    "read_table",
    "pour_down",
    "parking",
    "lift_log",
    "vote_rounds",
    "rumour_days",
    "cheapest_ferry",
    "is_ladder",
    "balanced_scales",
    "bring_forward",
    "stock_take",
    "shared_habits",
    "digit_stairs",
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
