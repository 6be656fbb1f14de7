from solution import *


def check(candidate):
    assert candidate([], 3) == []
    assert candidate([7], 3) == [7]
    assert candidate([7, 7, 7], 3) == [7]
    assert candidate([9, 8, 6], 3) == [6]
    assert candidate([5, 1, 9, 3, 4, 20], 4) == [1, 3, 4]
    assert candidate([5, 1, 9, 3, 4, 20], 16) == [1, 3, 4, 20]
    assert candidate([5, 1, 9, 3, 4, 20], 15) == [1, 3, 4]
    assert candidate([1, 9, 2], 5) == [1, 2]
    assert candidate([10, 11, 1, 2], 1) == [1, 2]
    assert candidate([1, 3, 2, 4], 9) == [1, 2, 4]
    assert candidate([2, 1, 3], 9) == [1, 3]
    assert candidate([0, 5, 10, 15], 4) == [0]
    assert candidate([0, 5, 10, 15], 5) == [0, 5, 10, 15]
    assert candidate([-9, -4, -8, -3], 5) == [-9, -8, -3]
    assert candidate([3, 4, 1, 2, 5, 6], 1) == [3, 4, 5, 6]


def test_longest_climb():
    check(longest_climb)
