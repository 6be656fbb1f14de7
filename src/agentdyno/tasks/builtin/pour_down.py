def pour_down(capacities: list[int], litres: int) -> list[int]:
    """
    Basins form a staircase, the first at the top. Water is poured into the top one; what a basin cannot
    hold runs over into the next, but only half of it (rounded down) arrives and the rest is spilled. What
    the last basin cannot hold is lost. Return how much each basin holds in the end.

    >>> pour_down([3, 2, 5], 10)
    [3, 2, 0]
    >>> pour_down([1, 1, 9], 12)
    [1, 1, 2]
    """
    held = []
    for capacity in capacities:
        held.append(min(capacity, litres))
        litres = (litres - held[-1]) // 2
    return held
