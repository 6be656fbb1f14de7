"""Reads the receipts of a run's verifications (runner/receipts.py)."""

from functools import partial
from pathlib import Path
from typing import NamedTuple

from agentdyno.reading import Missing, json_lines
from agentdyno.rundata.columns import Columns, Sha256
from agentdyno.shape import Count, shaped

GONE = "it was gone before the harness could look"
"""The problem of a verification that was killed at once."""


class Receipt(NamedTuple):
    """What is read of one verification; runner/receipts.py describes all of it."""

    problem: str | None
    by_attempt: bool
    t_start: Count | None
    solution_sha256: Sha256 | None
    tests_sha256: str | None
    others: int | None
    t_end: Count | None
    exit_code: Count | None
    signal: Count | None
    t_closed: Count | None


def read(path: Path, remedy: str) -> Columns[Receipt]:
    """Read a run's receipts; an Unreadable names the line that is damaged. None where there is no file."""
    try:
        return Columns(Receipt, json_lines(path, partial(shaped, kind=Receipt), remedy))
    except Missing:
        return Columns(Receipt)
