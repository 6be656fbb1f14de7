def lift_log(start: int, calls: list[int]) -> list[int]:
    """
    A lift stands at floor `start`. All calls are made at once. It first goes the way of the nearest call
    (up, if two are equally near), goes on in that direction as long as there are calls ahead, then turns
    round and serves the rest. Return the floors at which it stops, each once; a call for the floor where it
    stands is served first of all.

    >>> lift_log(4, [7, 3, 9, 1])
    [3, 1, 7, 9]
    >>> lift_log(4, [6, 2, 4])
    [4, 6, 2]
    """
    above = sorted({floor for floor in calls if floor > start})
    below = sorted({floor for floor in calls if floor < start}, reverse=True)
    log = [start] if start in calls else []
    if above and below and start - below[0] < above[0] - start:
        return log + below + above
    return log + above + below
