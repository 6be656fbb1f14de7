def settle(grid: list[list[str]]) -> None:
    """
    The grid, top row first, holds sand 'o', stones '#' and air '.'. Let every grain of sand fall straight
    down until it lies on the bottom row, on a stone or on other sand; stones stay where they are. Change
    the grid in place and return nothing.

    >>> grid = [["o", "o"], [".", "#"], [".", "."]]
    >>> settle(grid)
    >>> grid
    [['.', 'o'], ['.', '#'], ['o', '.']]
    """
    for column in range(len(grid[0]) if grid else 0):
        floor = len(grid) - 1
        for row in range(len(grid) - 1, -1, -1):
            if grid[row][column] == "#":
                floor = row - 1
            elif grid[row][column] == "o":
                grid[row][column] = "."
                grid[floor][column] = "o"
                floor -= 1
