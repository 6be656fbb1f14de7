from solution import *


def check(candidate):
    assert candidate([]) == 0
    assert candidate([8]) == 0
    assert candidate([5, 6]) == 1
    assert candidate([3, 9, 2, 1]) == 0
    assert candidate([9, 1, 1]) == 2
    assert candidate([1, 1, 9]) == 2
    assert candidate([1, 2, 3, 4, 5, 6, 7]) == 2
    assert candidate([10, 20, 40, 5]) == 15
    assert candidate([4, 4, 4, 4]) == 0
    assert candidate([4, 4, 4]) == 0
    assert candidate([0, 0, 7, 1]) == 1
    assert candidate([50, 3, 4, 41, 0]) == 2
    assert candidate([100, 1]) == 1
    assert candidate([1, 100]) == 1
    assert candidate([2, 100, 3, 100]) == 1


def test_fair_split():
    check(fair_split)
