"""Says what a file of tasks is where it is not one that agentdyno reads, and which command reads it."""

from collections.abc import Set
from pathlib import Path

from agentdyno.reading import GZIP, file_format

HUMANEVAL = "agentdyno dataset humaneval makes a task file of HumanEval"

LAYOUTS = (
    (
        {"prompt", "canonical_solution", "test"},
        "has the fields of HumanEval; make a task file of it with agentdyno dataset humaneval --file {path}",
    ),
    (
        {"code", "test_list"},
        "has the fields of MBPP, which no command of agentdyno reads; write those of docs/tasks.md",
    ),
    (
        {"features", "rows"},
        "is a page of a hub's API, which no command of agentdyno reads; write the fields of docs/tasks.md, "
        f"or, for HumanEval, {HUMANEVAL}",
    ),
    (
        {"row_idx", "row"},
        "is a row of a hub's API, which no command of agentdyno reads; write the fields of docs/tasks.md, "
        f"or, for HumanEval, {HUMANEVAL}",
    ),
    (
        {"task_id", "prompt", "tests", "entry_point"},
        "is a task file already; give it to --tasks",
    ),
)
"""The fields of other layouts, what they are, and what to do with them."""

FORMATS = {
    GZIP: "decompress it with gunzip, or, if it is HumanEval.jsonl.gz, make a task file "
    "of it with agentdyno dataset humaneval --file {path}",
    "is a Parquet file": "write it as JSON lines, as pandas does; agentdyno dataset humaneval --file FILE "
    "then reads the fields of HumanEval",
    "begins with a byte order mark": "save it as UTF-8 without one",
}


def remedy_of_format(content: bytes, path: Path) -> str:
    """What to do with a file that begins like this and cannot be read as UTF-8."""
    remedy = FORMATS.get(file_format(content) or "", "save it as JSON lines in UTF-8")
    return remedy.format(path=path)


def foreign_layout(record: object, own: Set[str], path: Path) -> str | None:
    """What a JSON value of the file at `path` is, and what to do; None where no layout but that of the fields
    `own` is known.
    """
    if not isinstance(record, dict):
        return None
    found = (what for fields, what in LAYOUTS if fields <= record.keys() and not fields <= own)
    return next((what.format(path=path) for what in found), None)
