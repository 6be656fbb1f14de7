from solution import *


def check(candidate):
    assert candidate([]) is None
    assert candidate([(4, 4)]) is None
    assert candidate([(4, 9)]) == (4, 9)
    assert candidate([(0, 10), (5, 20), (8, 12)]) == (8, 10)
    assert candidate([(3, 6), (6, 9), (20, 25)]) == (3, 9)
    assert candidate([(20, 30), (3, 6), (6, 9)]) == (20, 30)
    assert candidate([(0, 5), (10, 15)]) == (0, 5)
    assert candidate([(10, 15), (0, 5)]) == (0, 5)
    assert candidate([(0, 9), (1, 3), (3, 5), (6, 8)]) == (1, 5)
    assert candidate([(0, 9), (1, 3), (4, 8)]) == (4, 8)
    assert candidate([(0, 1), (0, 1), (5, 9)]) == (0, 1)
    assert candidate([(-5, -1), (-3, 2)]) == (-3, -1)
    assert candidate([(1, 2), (3, 3), (0, 1)]) == (0, 2)


def test_busiest():
    check(busiest)
