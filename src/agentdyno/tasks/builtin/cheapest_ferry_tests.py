from solution import *


def check(candidate):
    assert candidate([], "a", "a") == 0
    assert candidate([], "a", "b") is None
    assert candidate([("a", "a", 3)], "a", "a") == 0
    assert candidate([("a", "b", 7)], "a", "b") == 7
    assert candidate([("a", "b", 7)], "b", "a") is None
    assert candidate([("a", "b", 7), ("a", "b", 5)], "a", "b") == 5
    assert candidate([("a", "b", 7), ("b", "c", 9)], "a", "c") == 7
    assert candidate([("a", "b", 7), ("b", "c", 9), ("a", "c", 8)], "a", "c") == 7
    assert candidate([("a", "b", 7), ("b", "c", 9), ("a", "c", 6)], "a", "c") == 6
    assert candidate([("a", "b", 2), ("b", "c", 50), ("c", "d", 3), ("a", "d", 6)], "a", "d") == 5
    assert candidate([("a", "b", 4), ("b", "c", 4), ("c", "d", 4), ("a", "d", 9)], "a", "d") == 8
    assert candidate([("a", "b", 1), ("b", "a", 1), ("b", "c", 30), ("c", "d", 1)], "a", "d") == 2
    assert candidate([("a", "b", 1), ("b", "c", 0), ("c", "b", 0)], "a", "d") is None
    assert candidate([("a", "b", 0), ("b", "c", 0)], "a", "c") == 0
    assert candidate([("a", "b", 0), ("a", "b", 1)], "a", "b") == 0


def test_cheapest_ferry():
    check(cheapest_ferry)
