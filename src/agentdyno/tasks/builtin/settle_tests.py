from solution import *


def settled(*rows):
    grid = [list(row) for row in rows]
    assert settle(grid) is None
    return ["".join(row) for row in grid]


def test_falling():
    assert settled("o", ".", ".") == [".", ".", "o"]
    assert settled("oo", ".#", "..") == [".o", ".#", "o."]
    assert settled("o.o", "...", ".o.") == ["...", "...", "ooo"]


def test_piling_up():
    assert settled("o", "o", ".", "o", ".") == [".", ".", "o", "o", "o"]
    assert settled("o", "o", ".", "#", "o", ".") == [".", "o", "o", "#", ".", "o"]


def test_nothing_moves():
    assert settled() == []
    assert settled("#o#", "ooo") == ["#o#", "ooo"]
    assert settled("..", "##") == ["..", "##"]
    assert settled("o", "#", ".") == ["o", "#", "."]


def test_rows_are_kept():
    rows = [["o"], ["."]]
    top, bottom = rows
    settle(rows)
    assert rows[0] is top
    assert rows[1] is bottom
    assert (top, bottom) == (["."], ["o"])
