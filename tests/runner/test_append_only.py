"""A file that only grows is told from one that was changed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agentdyno.runner.append_only import AppendOnly


def append(path: Path) -> None:
    with path.open("a") as file:
        file.write("third\n")


def replace(path: Path) -> None:
    path.rename(path.with_name("before"))
    path.write_text("first\nsecond\nthird\n")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (append, None),
        (lambda path: None, None),
        (lambda path: path.write_text("first\nSECOND\nthird\n"), "was rewritten"),
        (lambda path: path.write_text("first\n"), "was cut by 7 bytes or more"),
        (replace, "was replaced by another file"),
        (lambda path: path.unlink(), "was removed"),
    ],
)
def test_what_happens_to_it_after_a_look(
    tmp_path: Path, change: Callable[[Path], object], said: str | None
) -> None:
    path = tmp_path / "events.jsonl"
    watched = AppendOnly(path)
    assert watched.look() == 0
    path.write_text("first\n")
    assert watched.look() == 6
    with path.open("a") as file:
        file.write("second\n")
    assert watched.look() == 13
    change(path)
    assert watched.change() == (None if said is None else f"events.jsonl {said}")


def test_a_file_that_never_came_has_not_changed(tmp_path: Path) -> None:
    watched = AppendOnly(tmp_path / "events.jsonl")
    assert watched.look() == 0
    assert watched.change() is None
