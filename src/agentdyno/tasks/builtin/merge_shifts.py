def merge_shifts(shifts: list[tuple[int, int]], gap: int) -> list[tuple[int, int]]:
    """
    A guard post is manned in shifts (start, end) of whole minutes, start before end, given in any order and
    perhaps overlapping. A pause of at most `gap` minutes between two shifts does not count as leaving the
    post. Return the stretches during which the post was not left, in order of time.

    >>> merge_shifts([(60, 90), (0, 30), (35, 50)], 5)
    [(0, 50), (60, 90)]
    >>> merge_shifts([(0, 100), (10, 20)], 0)
    [(0, 100)]
    """
    stretches: list[tuple[int, int]] = []
    for start, end in sorted(shifts):
        if stretches and start - stretches[-1][1] <= gap:
            stretches[-1] = (stretches[-1][0], max(stretches[-1][1], end))
        else:
            stretches.append((start, end))
    return stretches
