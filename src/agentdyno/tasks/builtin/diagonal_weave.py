def diagonal_weave(grid: list[list[int]]) -> list[int]:
    """
    Read a grid along its rising diagonals, from the top left corner to the bottom right one: first the
    corner, then the cells whose row and column number add up to 1, then to 2, and so on. Every diagonal is
    read upwards, from its lowest cell to its highest, except that a diagonal whose cells add up to an odd
    number is read downwards. Rows may be of different lengths.

    >>> diagonal_weave([[1, 2], [3, 4]])
    [1, 2, 3, 4]
    >>> diagonal_weave([[1, 2], [4, 4]])
    [1, 4, 2, 4]
    """
    diagonals: dict[int, list[int]] = {}
    for row, cells in enumerate(grid):
        for column, cell in enumerate(cells):
            diagonals.setdefault(row + column, []).append(cell)
    read = []
    for number in sorted(diagonals):
        downwards = diagonals[number]
        read.extend(downwards if sum(downwards) % 2 == 1 else downwards[::-1])
    return read
