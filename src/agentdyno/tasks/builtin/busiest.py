from itertools import pairwise


def busiest(visits: list[tuple[int, int]]) -> tuple[int, int] | None:
    """
    Visitors of a museum come at one minute and leave at another, and are inside from the first up to but
    not including the second. Return the earliest longest stretch (start, end) of minutes during all of
    which the number of visitors inside is the highest of the day, or None if nobody ever is inside. One
    visitor leaving and another coming in the same minute does not end a stretch.

    >>> busiest([(0, 10), (5, 20), (8, 12)])
    (8, 10)
    >>> busiest([(3, 6), (6, 9), (20, 25)])
    (3, 9)
    """
    minutes = sorted({minute for visit in visits for minute in visit})
    stretches: list[tuple[int, int, int]] = []
    for start, end in pairwise(minutes):
        inside = sum(came <= start and end <= left for came, left in visits)
        if stretches and stretches[-1][0] == inside:
            stretches[-1] = (inside, stretches[-1][1], end)
        else:
            stretches.append((inside, start, end))
    most = max((inside for inside, _, _ in stretches), default=0)
    if most == 0:
        return None
    _, start, end = max(
        (stretch for stretch in stretches if stretch[0] == most), key=lambda stretch: stretch[2] - stretch[1]
    )
    return start, end
