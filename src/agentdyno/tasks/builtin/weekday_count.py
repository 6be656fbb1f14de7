def day_number(year: int, month: int, day: int) -> int:
    """
    Days since 1 January of year 1 of the Gregorian calendar, that day itself being number 0.

    >>> day_number(1, 12, 31)
    364
    """
    before = year - 1
    days = 365 * before + before // 4 - before // 100 + before // 400
    lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0):
        lengths[1] = 29
    return days + sum(lengths[: month - 1]) + day - 1


def weekday_count(first: tuple[int, int, int], last: tuple[int, int, int], weekday: int) -> int:
    """
    How many days from `first` to `last`, both (year, month, day) and both included, fall on a weekday,
    where 0 is Monday and 6 is Sunday. 1 January of year 1 was a Monday. It is 0 if `last` comes before
    `first`.

    >>> weekday_count((2024, 2, 1), (2024, 2, 29), 3)
    5
    """
    start, end = day_number(*first), day_number(*last)
    if end < start:
        return 0
    first_hit = start + (weekday - start) % 7
    return (end - first_hit) // 7 + 1
