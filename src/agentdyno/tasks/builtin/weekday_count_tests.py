from solution import *


def test_day_number():
    assert day_number(1, 1, 1) == 0
    assert day_number(1, 12, 31) == 364
    assert day_number(4, 3, 1) == 1155
    assert day_number(5, 1, 1) == 1461
    assert day_number(101, 1, 1) == 36524
    assert day_number(401, 1, 1) == 146097
    assert day_number(1970, 1, 1) == 719162
    assert day_number(2000, 3, 1) == 730179
    assert day_number(1900, 3, 1) == 693654
    assert [day_number(2023, m, 1) - day_number(2023, 1, 1) for m in range(1, 13)] == [
        0,
        31,
        59,
        90,
        120,
        151,
        181,
        212,
        243,
        273,
        304,
        334,
    ]
    assert day_number(2024, 12, 31) - day_number(2024, 1, 1) == 365


def test_weekday_count():
    assert weekday_count((2024, 2, 1), (2024, 2, 29), 3) == 5
    assert [weekday_count((2024, 2, 1), (2024, 2, 29), day) for day in range(7)] == [4, 4, 4, 5, 4, 4, 4]
    assert weekday_count((1, 1, 1), (1, 1, 1), 0) == 1
    assert weekday_count((1, 1, 1), (1, 1, 7), 6) == 1
    assert weekday_count((1, 1, 1), (1, 1, 6), 6) == 0
    assert weekday_count((2000, 1, 1), (2400, 1, 1), 5) == 20872


def test_nothing_between():
    assert weekday_count((2024, 5, 2), (2024, 5, 1), 2) == 0
    assert weekday_count((2024, 5, 20), (2024, 5, 1), 2) == 0
