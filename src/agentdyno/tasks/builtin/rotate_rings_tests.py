from solution import *

FOUR = [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12], [13, 14, 15, 16]]


def test_small_grids():
    assert rotate_rings([], 2) == []
    assert rotate_rings([[7]], 3) == [[7]]
    assert rotate_rings([[1, 2], [3, 4]], 1) == [[3, 1], [4, 2]]
    assert rotate_rings([[1, 2, 3], [4, 5, 6], [7, 8, 9]], 1) == [[4, 1, 2], [7, 5, 3], [8, 9, 6]]
    assert rotate_rings([[1, 2, 3], [4, 5, 6], [7, 8, 9]], -2) == [[3, 6, 9], [2, 5, 8], [1, 4, 7]]


def test_inner_ring_turns_the_other_way():
    assert rotate_rings(FOUR, 1) == [[5, 1, 2, 3], [9, 7, 11, 4], [13, 6, 10, 8], [14, 15, 16, 12]]
    assert rotate_rings(FOUR, 12) == FOUR
    assert rotate_rings(FOUR, 4) == [[14, 13, 9, 5], [15, 6, 7, 1], [16, 10, 11, 2], [12, 8, 4, 3]]


def test_third_ring():
    grid = [[10 * row + column for column in range(6)] for row in range(6)]
    turned = rotate_rings(grid, 1)
    assert [row[2:4] for row in turned[2:4]] == [[32, 22], [33, 23]]
    assert turned[1][1:5] == [12, 13, 14, 24]
    assert rotate_rings(turned, -1) == grid


def test_grid_is_left_alone():
    grid = [[1, 2], [3, 4]]
    rotate_rings(grid, 1)
    assert grid == [[1, 2], [3, 4]]
