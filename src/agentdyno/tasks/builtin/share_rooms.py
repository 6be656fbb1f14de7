def share_rooms(lessons: list[tuple[int, int]]) -> list[int]:
    """
    Give every lesson (start, end), start before end, a room number from 0 up, so that lessons in the same
    room do not overlap; one may start in the minute in which another ends. Use as few different rooms as
    possible, numbered without gaps. Return the room of each lesson in the order given; any such plan will
    do.

    >>> share_rooms([(0, 5), (5, 9)])
    [0, 0]
    """
    rooms: dict[int, int] = {}
    free_from: list[int] = []
    for index in sorted(range(len(lessons)), key=lambda index: lessons[index]):
        start, end = lessons[index]
        free = (room for room, until in enumerate(free_from) if until <= start)
        rooms[index] = next(free, len(free_from))
        free_from[rooms[index] : rooms[index] + 1] = [end]
    return [rooms[index] for index in range(len(lessons))]
