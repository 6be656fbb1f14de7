from solution import *


def check(candidate):
    assert candidate([]) == "0"
    assert candidate([0, 0]) == "0"
    assert candidate([5]) == "5"
    assert candidate([-1]) == "-1"
    assert candidate([1]) == "1"
    assert candidate([0, 1]) == "x"
    assert candidate([0, -1]) == "-x"
    assert candidate([0, -7]) == "-7x"
    assert candidate([1, 1, 1]) == "x^2 + x + 1"
    assert candidate([-1, -1, -1]) == "-x^2 - x - 1"
    assert candidate([4, -1, 0, 3]) == "3x^3 - x + 4"
    assert candidate([0, 0, -1]) == "-x^2"
    assert candidate([2, 0, 10, 0]) == "10x^2 + 2"
    assert candidate([0] * 12 + [2]) == "2x^12"
    assert candidate([-3, 2]) == "2x - 3"


def test_write_polynomial():
    check(write_polynomial)
