from solution import *


def check(candidate):
    assert candidate([], 9) == []
    assert candidate([4], 0) == [0]
    assert candidate([4], 3) == [3]
    assert candidate([4], 9) == [4]
    assert candidate([3, 2, 5], 3) == [3, 0, 0]
    assert candidate([3, 2, 5], 4) == [3, 0, 0]
    assert candidate([3, 2, 5], 5) == [3, 1, 0]
    assert candidate([3, 2, 5], 10) == [3, 2, 0]
    assert candidate([1, 1, 9], 12) == [1, 1, 2]
    assert candidate([0, 0, 0, 9], 80) == [0, 0, 0, 9]
    assert candidate([0, 0, 0, 9], 70) == [0, 0, 0, 8]


def test_pour_down():
    check(pour_down)
