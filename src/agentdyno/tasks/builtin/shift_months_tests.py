from solution import *


def test_days_in_month():
    lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    assert [days_in_month(2023, month) for month in range(1, 13)] == lengths
    assert days_in_month(2024, 2) == 29
    assert days_in_month(1900, 2) == 28
    assert days_in_month(2000, 2) == 29


def test_plain_shifts():
    assert shift_months("2024-05-05", 0) == "2024-05-05"
    assert shift_months("2024-05-05", 1) == "2024-06-05"
    assert shift_months("2024-05-05", 7) == "2024-12-05"
    assert shift_months("2024-05-05", 8) == "2025-01-05"
    assert shift_months("2024-05-05", 30) == "2026-11-05"


def test_looking_back():
    assert shift_months("2024-01-15", -1) == "2023-12-15"
    assert shift_months("2024-05-05", -4) == "2024-01-05"
    assert shift_months("2024-05-05", -29) == "2021-12-05"


def test_short_months():
    assert shift_months("2023-11-30", 3) == "2024-02-29"
    assert shift_months("2022-11-30", 3) == "2023-02-28"
    assert shift_months("2023-03-31", 1) == "2023-04-30"
    assert shift_months("2024-02-29", 12) == "2025-02-28"
    assert shift_months("2024-02-29", 48) == "2028-02-29"


def test_early_years():
    assert shift_months("0999-12-01", 1) == "1000-01-01"
    assert shift_months("0007-03-09", -2) == "0007-01-09"
