from solution import *


def close(value, expected):
    return abs(value - expected) < 1e-9


def test_one_point():
    assert close(read_table([(2.0, 7.0)], 2.0), 7.0)
    assert close(read_table([(2.0, 7.0)], -5.0), 7.0)
    assert close(read_table([(2.0, 7.0)], 5.0), 7.0)


def test_between():
    table = [(4.0, 20.0), (0.0, 10.0), (6.0, -2.0)]
    assert close(read_table(table, 1.0), 12.5)
    assert close(read_table(table, 2.0), 15.0)
    assert close(read_table(table, 3.0), 17.5)
    assert close(read_table(table, 5.0), 9.0)
    assert close(read_table(table, 5.5), 3.5)


def test_on_a_point():
    table = [(-1.0, 3.0), (1.0, 5.0), (2.0, 0.5)]
    assert [read_table(table, point) for point in (-1.0, 1.0, 2.0)] == [3.0, 5.0, 0.5]


def test_outside():
    table = [(-1.0, 3.0), (1.0, 5.0)]
    assert close(read_table(table, -1.5), 3.0)
    assert close(read_table(table, 1.5), 5.0)
