import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdyno.analysis.ratio import paired, quotient, unpaired
from agentdyno.analysis.statistics import FEW

figures = st.lists(st.floats(0.1, 1e6), min_size=3, max_size=12)


def test_runs_of_one_block_are_divided_by_each_other() -> None:
    # The machine slows down from block to block, which a ratio of medians over other blocks would show.
    ratio = paired({1: 20.0, 2: 40.0, 3: 80.0}, {1: 10.0, 2: 20.0, 3: 40.0})
    assert (ratio.median, ratio.ci95, ratio.values) == (2.0, (2.0, 2.0), [2.0, 2.0, 2.0])


def test_a_block_that_only_one_of_them_has_is_left_out() -> None:
    ratio = paired({1: 20.0, 2: 40.0, 3: None}, {1: 10.0, 3: 40.0})
    assert ratio.values == [2.0, None, None]
    assert (ratio.median, ratio.ci95) == (2.0, None)


def test_nothing_is_divided_by_nothing() -> None:
    assert quotient(1.0, 0.0) is None
    assert quotient(None, 2.0) is None
    assert unpaired([1.0, 2.0, 3.0], [0.0, 0.0, 0.0]).median is None
    assert unpaired([], [1.0]).median is None


def test_medians_of_two_experiments_are_divided() -> None:
    ratio = unpaired([30.0, 31.0, 32.0], [10.0, 10.0, 10.0])
    assert ratio.median == pytest.approx(3.1)
    assert ratio.ci95 is not None
    low, high = ratio.ci95
    assert 2.8 < low < 3.0 < 3.2 < high < 3.4


def test_equal_runs_leave_no_doubt_and_too_few_no_interval() -> None:
    assert unpaired([3.0] * 3, [2.0] * 3).ci95 == (1.5, 1.5)
    assert unpaired([3.0] * 2, [2.0] * 3).ci95 is None


@given(figures, figures)
def test_many_runs_leave_the_ratio_within_what_they_were(values: list[float], others: list[float]) -> None:
    ratio = unpaired(values, others)
    assert ratio.median is not None
    assert ratio.ci95 is not None
    low, high = ratio.ci95
    assert 0 < low <= high
    if min(len(values), len(others)) > FEW:
        slack = 1 + 1e-9
        assert min(values) / max(others) <= low * slack
        assert high <= max(values) / min(others) * slack
