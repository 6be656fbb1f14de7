"""What one more agent costs, from runs of which one may be off."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentdyno.analysis.statistics import Slope, slope

AGENTS = st.integers(1, 50_000)
MIB = st.floats(1, 10_000)


@settings(deadline=None)
@given(
    agents=st.lists(AGENTS, min_size=3, max_size=9, unique=True),
    kib_per_agent=st.floats(0, 4096),
    intercept_mib=MIB,
)
def test_a_line_is_found(agents: list[int], kib_per_agent: float, intercept_mib: float) -> None:
    found = slope(agents, [intercept_mib + kib_per_agent / 1024 * number for number in agents])
    assert found is not None
    expected = pytest.approx(kib_per_agent, rel=1e-6, abs=1e-4)
    assert found.kib_per_agent == expected
    assert found.ci95 == (expected, expected)
    assert found.intercept_mib == pytest.approx(intercept_mib, rel=1e-6, abs=1e-2)


@settings(deadline=None)
@given(
    points=st.lists(st.tuples(AGENTS, MIB), min_size=5, max_size=9, unique_by=lambda point: point[0]),
    off=st.integers(0, 4),
    by_mib=st.floats(-1e6, 1e6),
)
def test_a_run_that_is_off_moves_the_slope_no_further_than_the_others_differ(
    points: list[tuple[int, float]], off: int, by_mib: float
) -> None:
    others = [point for number, point in enumerate(points) if number != off]
    between = [
        (mib - other_mib) / (agents - other) * 1024
        for (agents, mib), (other, other_mib) in combinations(others, 2)
    ]
    agents, peaks = zip(*points, strict=True)
    moved = [peak + by_mib if number == off else peak for number, peak in enumerate(peaks)]
    found = slope(agents, moved)
    assert found is not None
    within = max(map(abs, between)) * 1e-9
    assert min(between) - within <= found.kib_per_agent <= max(between) + within


@settings(deadline=None)
@given(
    points=st.lists(
        st.tuples(st.integers(1, 4) | AGENTS, st.sampled_from([17.0, 18.0]) | MIB), min_size=3, max_size=30
    )
)
def test_the_interval_holds_the_slope_and_three_numbers_of_agents_have_one(
    points: list[tuple[int, float]],
) -> None:
    found = slope([agents for agents, _ in points], [mib for _, mib in points])
    if len({agents for agents, _ in points}) < 3:
        assert found is None
    else:
        assert found is not None
        assert found.ci95[0] <= found.kib_per_agent <= found.ci95[1]


@pytest.mark.parametrize("agents", [[], [1], [1, 10], [1, 10, 10, 1]])
def test_fewer_than_three_numbers_of_agents_have_no_slope(agents: list[int]) -> None:
    assert slope(agents, [20.0 + number for number in agents]) is None


def test_runs_that_all_take_the_same_have_no_slope_and_no_doubt_of_it() -> None:
    found = slope([1, 1, 2, 2, 4, 4], [17.0] * 6)
    assert found == Slope(kib_per_agent=0.0, ci95=(0.0, 0.0), intercept_mib=17.0)


def test_where_most_runs_are_alike_the_interval_is_as_wide_as_their_pairs() -> None:
    found = slope([1] * 28 + [2, 3], [17.0] * 29 + [19.0])
    # 28 pairs with a slope of 0, 28 with one of 1 MiB an agent, one with 2.
    assert found == Slope(kib_per_agent=1024.0, ci95=(0.0, 2048.0), intercept_mib=16.0)
