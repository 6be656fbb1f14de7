from solution import *


def is_right(weights, limit):
    chosen = fill_crate(weights, limit)
    room = limit - sum(weights[position] for position in chosen)
    return (
        chosen == sorted(set(chosen))
        and all(0 <= position < len(weights) for position in chosen)
        and room >= 0
        and all(weights[position] > room for position in range(len(weights)) if position not in chosen)
    )


def test_one_choice():
    assert fill_crate([], 5) == []
    assert fill_crate([3], 0) == []
    assert fill_crate([3], 3) == [0]
    assert fill_crate([4], 3) == []
    assert fill_crate([2, 2, 2], 6) == [0, 1, 2]
    assert fill_crate([9, 1, 8], 3) == [1]


def test_several_choices():
    assert is_right([4, 9, 3], 7)
    assert is_right([5, 5, 5], 5)
    assert is_right([5, 5, 5], 14)
    assert is_right([7, 1, 7, 1, 7, 1], 9)
    assert is_right([1, 2, 4, 8, 16, 32], 21)
    assert is_right([10, 3, 3, 3, 3], 12)


def test_weights_are_left_alone():
    weights = [3, 1, 2]
    fill_crate(weights, 4)
    assert weights == [3, 1, 2]
