def days_in_month(year: int, month: int) -> int:
    """
    The number of days of a month (1 to 12) in the Gregorian calendar.

    >>> days_in_month(2024, 2)
    29
    """
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def shift_months(day: str, months: int) -> str:
    """
    A subscription that began on a day, written YYYY-MM-DD, is renewed after some months; the number may be
    negative to look back. Return the day of renewal in the same form. If that month is too short to have the
    day, it is the last day of that month. Years stay between 1 and 9999.

    >>> shift_months("2023-11-30", 3)
    '2024-02-29'
    >>> shift_months("2024-01-15", -1)
    '2023-12-15'
    """
    year, month, date = (int(part) for part in day.split("-"))
    years, month_index = divmod(month - 1 + months, 12)
    year, month = year + years, month_index + 1
    return f"{year:04}-{month:02}-{min(date, days_in_month(year, month)):02}"
