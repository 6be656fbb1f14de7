from solution import *


def check(candidate):
    assert candidate([]) == []
    assert candidate([[], []]) == []
    assert candidate([[5]]) == [5]
    assert candidate([[1, 2], [3, 4]]) == [1, 2, 3, 4]
    assert candidate([[1, 2], [4, 4]]) == [1, 4, 2, 4]
    assert candidate([[1, 3], [2, 4]]) == [1, 3, 2, 4]
    assert candidate([[1, 2, 3]]) == [1, 2, 3]
    assert candidate([[1], [2], [3]]) == [1, 2, 3]
    assert candidate([[1, 2, 3], [4, 5, 6], [7, 8, 9]]) == [1, 4, 2, 3, 5, 7, 8, 6, 9]
    assert candidate([[], [1, 2, 3], [6]]) == [1, 6, 2, 3]
    assert candidate([[0, 0, 0, 9], [1], [2, 8, 8]]) == [0, 0, 1, 2, 0, 9, 8, 8]
    assert candidate([[1, -4], [-3, 2]]) == [1, -4, -3, 2]


def test_diagonal_weave():
    check(diagonal_weave)
