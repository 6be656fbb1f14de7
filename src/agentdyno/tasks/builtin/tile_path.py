def tile_path(length: int, tiles: list[int]) -> int:
    """
    A path of the given length is laid with tiles of the given lengths, any number of each. Two tiles of the
    same length never lie next to each other. Count the different ways to lay the whole path; the empty path
    can be laid in one way. The lengths of tiles are all different and at least 1.

    >>> tile_path(3, [1, 2])
    2
    >>> tile_path(2, [1])
    0
    """
    ways = {(0, 0): 1}
    for covered in range(1, length + 1):
        for tile in tiles:
            if tile <= covered:
                ways[covered, tile] = sum(
                    ways.get((covered - tile, before), 0) for before in [0, *tiles] if before != tile
                )
    return sum(ways.get((length, last), 0) for last in [0, *tiles])
