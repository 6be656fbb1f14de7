from itertools import pairwise


def read_table(table: list[tuple[float, float]], at: float) -> float:
    """
    A table gives values at some points: pairs (point, value), in any order, no point twice, at least one
    pair. Read it at any point: between two points of the table the value lies on the straight line between
    them, and outside it is that of the nearest point.

    >>> read_table([(0.0, 10.0), (4.0, 20.0)], 1.0)
    12.5
    >>> read_table([(0.0, 10.0), (4.0, 20.0)], 9.0)
    20.0
    """
    rows = sorted(table)
    if at <= rows[0][0]:
        return rows[0][1]
    for (left, low), (right, high) in pairwise(rows):
        if at <= right:
            return low + (high - low) * (at - left) / (right - left)
    return rows[-1][1]
