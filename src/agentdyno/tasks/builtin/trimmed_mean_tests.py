from solution import *


def close(value, expected):
    return abs(value - expected) < 1e-9


def test_no_drop():
    assert close(trimmed_mean([4.0], 0), 4.0)
    assert close(trimmed_mean([1.0, 2.0, 6.0], 0), 3.0)


def test_drop():
    assert close(trimmed_mean([9.0, 1.0, 5.0, 6.0], 1), 5.5)
    assert close(trimmed_mean([10.0, 0.0, 7.0], 1), 7.0)
    assert close(trimmed_mean([1.0, 2.0, 3.0, 10.0, 100.0, 4.0, -5.0], 2), 3.0)
    assert close(trimmed_mean([2.0, 2.0, 2.0, 9.0, 9.0], 1), 13 / 3)


def test_too_few_marks():
    assert close(trimmed_mean([4.0, 8.0], 3), 6.0)
    assert close(trimmed_mean([4.0, 8.0], 1), 6.0)
    assert close(trimmed_mean([3.0], 1), 3.0)
    assert close(trimmed_mean([1.0, 5.0, 7.0], 2), 5.0)
    assert close(trimmed_mean([1.0, 5.0, 8.0, 20.0], 2), 6.5)


def test_marks_are_left_alone():
    marks = [3.0, 1.0, 2.0]
    trimmed_mean(marks, 1)
    assert marks == [3.0, 1.0, 2.0]
