import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdyno.analysis.statistics import interval, interval_of_ratio, median, percentile

numbers = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300)


@pytest.mark.parametrize(("share", "least"), [(0.5, 2), (0.95, 20), (0.99, 100)])
def test_a_percentile_needs_enough_samples_for_one_to_lie_beyond_it(share: float, least: int) -> None:
    assert percentile([1.0] * (least - 1), share) is None
    assert percentile([1.0] * least, share) == 1.0


def test_percentiles_are_interpolated_between_neighbours() -> None:
    assert percentile([10, 20], 0.5) == 15
    assert percentile(list(range(101)), 0.95) == 95


@given(numbers)
def test_a_percentile_lies_within_the_samples_and_the_middle_one_is_the_median(samples: list[float]) -> None:
    middle = percentile(samples, 0.5)
    if len(samples) < 2:
        assert middle is None
    else:
        assert middle == pytest.approx(statistics.median(samples))
        assert min(samples) <= middle <= max(samples)


def test_the_median_passes_over_runs_without_the_figure() -> None:
    assert median([None, 3.0, 1.0, None, 2.0]) == 2.0
    assert median([None, None]) is None


def test_fewer_than_three_runs_have_no_interval() -> None:
    assert interval([1.0, 2.0]) is None
    assert interval([1.0, None, 2.0]) is None


def test_an_interval_holds_the_median_and_is_the_same_at_every_call() -> None:
    values = [9.0, 10.0, 10.2, 10.5, 11.0, 14.0]
    found = interval(values)
    assert found is not None
    low, high = found
    assert 9.0 <= low <= 10.35 <= high <= 14.0
    assert low < high
    assert interval(values) == found


def test_equal_values_have_an_interval_without_width() -> None:
    assert interval([87, 87, 87]) == (87, 87)


def test_counts_have_an_interval_as_well() -> None:
    assert interval([22, 22, 22, 22, 22, 23]) == (22, 22.5)


def test_few_runs_have_the_interval_of_student() -> None:
    # The quantile of two degrees of freedom is 4.303.
    found = interval([100.0, 110.0, 121.0])
    half = 4.302652729911275 * math.log(1.1) / math.sqrt(3)
    assert found == (pytest.approx(110 * math.exp(-half)), pytest.approx(110 * math.exp(half)))


def test_an_interval_of_what_can_be_nothing_is_symmetric() -> None:
    low, high = interval([0, 1, 2]) or (0, 0)
    assert (low + high) / 2 == pytest.approx(1)
    assert high - 1 == pytest.approx(4.302652729911275 / math.sqrt(3))


def test_two_samples_have_the_interval_of_welch() -> None:
    found = interval_of_ratio([100.0, 110.0, 121.0], [10.0, 11.0, 12.1])
    half = 2.7764451051977934 * math.log(1.1) * math.sqrt(2 / 3)  # four degrees of freedom
    assert found == (pytest.approx(10 * math.exp(-half)), pytest.approx(10 * math.exp(half)))
