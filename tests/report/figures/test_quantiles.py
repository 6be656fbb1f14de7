import statistics
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdyno.analysis.metrics import PERCENTILES
from agentdyno.analysis.statistics import percentile
from agentdyno.report.figures.overhead import quantiles

samples = st.lists(st.floats(0.001, 1e5), min_size=1, max_size=150)
runs = st.lists(samples, min_size=1, max_size=5)


@given(runs)
def test_the_curve_rises_from_0_to_1(runs: list[list[float]]) -> None:
    curve = quantiles(runs)
    assert all(before[0] <= after[0] and before[1] < after[1] for before, after in pairwise(curve))
    assert curve[0] == (pytest.approx(statistics.median(min(run) for run in runs)), 0)
    assert curve[-1] == (pytest.approx(statistics.median(max(run) for run in runs)), 1)


@given(st.lists(st.lists(st.floats(0.001, 1e5), min_size=100, max_size=150), min_size=1, max_size=5))
def test_its_percentiles_are_medians_over_the_runs_of_theirs(runs: list[list[float]]) -> None:
    curve = {round(share, 3): value for value, share in quantiles(runs)}
    for share in PERCENTILES.values():
        theirs = [found for run in runs if (found := percentile(run, share)) is not None]
        assert curve[share] == pytest.approx(statistics.median(theirs))
