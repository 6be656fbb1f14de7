def rotate_rings(grid: list[list[int]], steps: int) -> list[list[int]]:
    """
    A square grid of numbers is made of rings around its centre. Turn the outermost ring by `steps` cells
    clockwise, the next ring inside by the same number of cells the other way, the next one clockwise again,
    and so on. A negative number turns everything the other way. Return the new grid; the one given is not
    changed.

    >>> rotate_rings([[1, 2, 3], [4, 5, 6], [7, 8, 9]], 1)
    [[4, 1, 2], [7, 5, 3], [8, 9, 6]]
    """
    turned = [list(row) for row in grid]
    for ring in range(len(grid) // 2):
        last = len(grid) - 1 - ring
        cells = [(ring, column) for column in range(ring, last)]
        cells += [(row, last) for row in range(ring, last)]
        cells += [(last, column) for column in range(last, ring, -1)]
        cells += [(row, ring) for row in range(last, ring, -1)]
        shift = steps if ring % 2 == 0 else -steps
        for index, (row, column) in enumerate(cells):
            to_row, to_column = cells[(index + shift) % len(cells)]
            turned[to_row][to_column] = grid[row][column]
    return turned
