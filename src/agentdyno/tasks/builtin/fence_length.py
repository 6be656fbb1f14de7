def fence_length(field: list[str]) -> int:
    """
    On a map, '#' is pasture and anything else is not; rows may be of different lengths. A fence goes around
    the outside of every pasture: around its cells that can be reached from beyond the edge of the map
    without stepping on a '#', moving up, down, left or right. Holes inside a pasture need no fence. Return
    the number of cell sides with a fence.

    >>> fence_length(["##", "##"])
    8
    >>> fence_length(["###", "#.#", "###"])
    12
    """
    height = len(field) + 2
    width = max((len(row) for row in field), default=0) + 2
    pasture = {
        (row, column)
        for row, line in enumerate(field, 1)
        for column, cell in enumerate(line, 1)
        if cell == "#"
    }
    outside = {(0, 0)}
    walk = [(0, 0)]
    sides = 0
    while walk:
        row, column = walk.pop()
        for cell in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            if cell in pasture:
                sides += 1
            elif cell not in outside and 0 <= cell[0] < height and 0 <= cell[1] < width:
                outside.add(cell)
                walk.append(cell)
    return sides
