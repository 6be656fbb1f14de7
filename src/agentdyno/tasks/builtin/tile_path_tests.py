from solution import *


def by_hand(length, tiles, before=0):
    if length == 0:
        return 1
    return sum(by_hand(length - tile, tiles, tile) for tile in tiles if tile <= length and tile != before)


def test_small_paths():
    assert tile_path(0, []) == 1
    assert tile_path(0, [1, 2]) == 1
    assert tile_path(5, []) == 0
    assert tile_path(1, [1]) == 1
    assert tile_path(2, [1]) == 0
    assert tile_path(3, [1, 2]) == 2
    assert tile_path(4, [1, 2]) == 1
    assert tile_path(6, [1, 2]) == 2
    assert tile_path(3, [1, 2, 3]) == 3
    assert tile_path(7, [7]) == 1


def test_against_trying_everything():
    for tiles in ([1, 2, 3], [2, 3, 5], [5, 1], [4, 6], [1, 3, 4, 9]):
        for length in range(13):
            assert tile_path(length, tiles) == by_hand(length, tiles)


def test_long_path():
    assert tile_path(60, [1, 2]) == 2
    assert tile_path(40, [1, 2, 3]) == 1100098
