from solution import *


def check(candidate):
    assert candidate([], 3) == []
    assert candidate([(5, 9)], 0) == [(5, 9)]
    assert candidate([(60, 90), (0, 30), (35, 50)], 5) == [(0, 50), (60, 90)]
    assert candidate([(60, 90), (0, 30), (35, 50)], 4) == [(0, 30), (35, 50), (60, 90)]
    assert candidate([(60, 90), (0, 30), (35, 50)], 10) == [(0, 90)]
    assert candidate([(0, 100), (10, 20)], 0) == [(0, 100)]
    assert candidate([(0, 10), (10, 20), (21, 30)], 0) == [(0, 20), (21, 30)]
    assert candidate([(0, 10), (0, 4), (0, 7)], 0) == [(0, 10)]
    assert candidate([(0, 100), (10, 20), (103, 110)], 3) == [(0, 110)]
    assert candidate([(0, 1), (9, 10), (12, 20), (13, 15), (40, 41)], 2) == [(0, 1), (9, 20), (40, 41)]
    assert candidate([(-30, -20), (-15, 0)], 4) == [(-30, -20), (-15, 0)]


def test_merge_shifts():
    check(merge_shifts)


def test_input_is_left_alone():
    shifts = [(4, 5), (1, 4)]
    merge_shifts(shifts, 0)
    assert shifts == [(4, 5), (1, 4)]
