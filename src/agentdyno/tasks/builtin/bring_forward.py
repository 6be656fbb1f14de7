def bring_forward(queue: list[str], urgent: set[str]) -> int:
    """
    Bring urgent people forward in a queue: each of them, from front to back, moves past the people who are
    not urgent directly before them, but past three of them at most and never past anybody urgent. Change
    the list in place and return how many people have moved forward.

    >>> queue = ["a", "b", "c", "d", "X", "Y"]
    >>> bring_forward(queue, {"X", "Y"})
    2
    >>> queue
    ['a', 'X', 'Y', 'b', 'c', 'd']
    """
    moved = 0
    for index, person in enumerate(queue):
        if person in urgent:
            place = index
            while place > 0 and index - place < 3 and queue[place - 1] not in urgent:
                queue[place] = queue[place - 1]
                place -= 1
            queue[place] = person
            moved += place < index
    return moved
