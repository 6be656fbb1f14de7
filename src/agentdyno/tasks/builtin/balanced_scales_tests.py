from solution import *


def check(candidate):
    assert candidate([]) is True
    assert candidate([5]) is True
    assert candidate([5, 5]) is True
    assert candidate([5, 6]) is False
    assert candidate([5, 1, 5]) is True
    assert candidate([5, 5, 1]) is False
    assert candidate([1, 1, 9, 2]) is False
    assert candidate([2, 2, 2, 2]) is True
    assert candidate([1, 3, 3, 1]) is False
    assert candidate([2, 2, 3, 1]) is False
    assert candidate([3, 1, 2, 2]) is False
    assert candidate([3, 3, 9, 3, 3]) is True
    assert candidate([3, 7, 3, 2, 4, 5, 4]) is True
    assert candidate([4, 5, 3, 2, 4, 4, 4]) is False
    assert candidate([1] * 16) is True
    assert candidate([1] * 15 + [2]) is False


def test_balanced_scales():
    check(balanced_scales)
