from solution import *


def check(candidate):
    assert candidate(4, []) == []
    assert candidate(4, [4, 4]) == [4]
    assert candidate(4, [5]) == [5]
    assert candidate(4, [1]) == [1]
    assert candidate(4, [7, 3, 9, 1]) == [3, 1, 7, 9]
    assert candidate(4, [5, 1, 9, 2]) == [5, 9, 2, 1]
    assert candidate(4, [6, 2, 4]) == [4, 6, 2]
    assert candidate(4, [2, 6]) == [6, 2]
    assert candidate(4, [7, 2]) == [2, 7]
    assert candidate(0, [-1, 3, 3, -1, 2]) == [-1, 2, 3]
    assert candidate(-2, [-4, -2, -1, -9]) == [-2, -1, -4, -9]
    assert candidate(5, [3, 1, 3]) == [3, 1]
    assert candidate(5, [9, 6, 9]) == [6, 9]


def test_lift_log():
    check(lift_log)
