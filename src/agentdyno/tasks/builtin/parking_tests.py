from solution import *


def check(candidate):
    assert candidate(0, []) == []
    assert candidate(3, []) == ["-", "-", "-"]
    assert candidate(2, ["in a"]) == ["a", "-"]
    assert candidate(2, ["in a", "in b", "in c"]) == ["a", "b"]
    assert candidate(2, ["in a", "in b", "in c", "out a"]) == ["c", "b"]
    assert candidate(2, ["in a", "in b", "out a"]) == ["-", "b"]
    assert candidate(3, ["in a", "in b", "out a", "in c", "in d"]) == ["c", "b", "d"]
    assert candidate(1, ["in a", "in b", "in c", "out a"]) == ["b"]
    assert candidate(1, ["in a", "in b", "in c", "out b", "out a"]) == ["c"]
    assert candidate(1, ["in a", "in b", "out a", "out b"]) == ["-"]
    assert candidate(2, ["out x", "in a"]) == ["a", "-"]
    assert candidate(2, ["in a", "in a"]) == ["a", "-"]
    assert candidate(1, ["in a", "in b", "in b", "out a", "out b"]) == ["-"]
    assert candidate(1, ["in a", "in b", "out a", "in a", "out b"]) == ["a"]


def test_parking():
    check(parking)
