from solution import *


def check(candidate):
    assert candidate(0) == 0
    assert candidate(5) == 5
    assert candidate(13245) == 258
    assert candidate(321) == 6
    assert candidate(123) == 123
    assert candidate(11) == 2
    assert candidate(100) == 1
    assert candidate(1012) == 13
    assert candidate(9080) == 17
    assert candidate(49489) == 538
    assert candidate(12312) == 135


def test_digit_stairs():
    check(digit_stairs)
