def trimmed_mean(marks: list[float], drop: int) -> float:
    """
    A jury's marks are averaged without the `drop` lowest and the `drop` highest of them. If that would
    leave no mark, fewer are dropped, the same number at both ends, so that one or two marks are left. There
    is at least one mark.

    >>> trimmed_mean([9.0, 1.0, 5.0, 6.0], 1)
    5.5
    >>> trimmed_mean([4.0, 8.0], 3)
    6.0
    """
    drop = min(drop, (len(marks) - 1) // 2)
    kept = sorted(marks)[drop : len(marks) - drop]
    return sum(kept) / len(kept)
