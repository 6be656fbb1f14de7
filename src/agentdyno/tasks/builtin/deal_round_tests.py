from solution import *


def check(candidate):
    assert candidate([], 0) == []
    assert candidate([[], []], 3) == []
    assert candidate([[1, 2, 3]], 0) == [3, 2, 1]
    assert candidate([[1, 2, 3]], 4) == [3, 2, 1]
    assert candidate([[1, 2], [3], [4, 5]], 0) == [2, 3, 5, 1, 4]
    assert candidate([[1, 2], [3], [4, 5]], 1) == [2, 5, 3, 1, 4]
    assert candidate([[1, 2], [3], [4, 5]], 2) == [2, 1, 3, 5, 4]
    assert candidate([[], [7], [], [8, 9]], 0) == [7, 9, 8]
    assert candidate([[1], [2], [3], [4]], 1) == [1, 3, 2, 4]


def test_deal_round():
    check(deal_round)


def test_piles_are_left_alone():
    piles = [[1, 2], [3]]
    deal_round(piles, 0)
    assert piles == [[1, 2], [3]]
