from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdyno.report.figures.marks import apart, around

positions = st.lists(st.floats(0, 300), min_size=1, max_size=15)


@given(positions)
def test_neighbours_are_far_enough_apart_and_within_the_axis(positions: list[float]) -> None:
    moved = apart(positions, 15, 300)
    assert all(after - before >= 15 - 1e-9 for before, after in pairwise(sorted(moved)))
    assert min(moved) >= -1e-9
    assert max(moved) <= 300 + 1e-9


@given(positions)
def test_their_order_stays(positions: list[float]) -> None:
    moved = apart(positions, 15, 300)
    for one, its in zip(positions, moved, strict=True):
        assert all(its < other for where, other in zip(positions, moved, strict=True) if one < where)


def test_what_is_far_enough_apart_already_stays_where_it_is() -> None:
    assert apart([200, 10, 100], 15, 300) == [200, 10, 100]


def test_two_in_one_place_move_away_from_each_other() -> None:
    assert apart([100, 100], 15, 300) == [92.5, 107.5]


@given(st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=10))
def test_an_axis_holds_its_values_and_has_ticks(values: list[float]) -> None:
    scale = around(values, 300)
    assert all(0 < scale.position(value) < 300 for value in values)
    assert all(scale.value(scale.position(value)) == pytest.approx(value) for value in values)
    assert 1 <= len(scale.ticks) <= 11
    assert all(scale.low <= tick <= scale.high for tick in scale.ticks)
