"""Which figures are marked as the best of a column."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdyno.report.best import best
from agentdyno.results.summary import Row
from report.synthetic import LATE, Figure, row


def marked(*rows: Row) -> set[str]:
    return {cell.runtime for cell in best(rows, "peak_rss_mib", "{:.1f}".format)}


@pytest.mark.parametrize(
    ("figures", "names"),
    [
        # A single run is its own interval, as it is printed.
        ({"go": 11.0, "rust": 6.1, "python": 18.4}, {"rust"}),
        ({"go": 6.08, "rust": 6.12, "python": 18.4}, {"go", "rust"}),
        ({"go": 6.04, "rust": 6.06, "python": 18.4}, {"go"}),
        # Intervals that do not meet, that touch, and that overlap.
        ({"go": (11.0, 10.9, 11.1), "rust": (6.1, 6.0, 6.2)}, {"rust"}),
        ({"go": (7.0, 6.2, 8.0), "rust": (6.1, 6.0, 6.2), "python": (18.4, 18.3, 18.5)}, {"go", "rust"}),
        ({"go": (7.0, 5.0, 9.0), "rust": (6.1, 6.0, 6.2), "python": (18.4, 18.3, 18.5)}, {"go", "rust"}),
        # What meets the second best only is not the best.
        ({"rust": (6.0, 5.9, 6.5), "go": (6.7, 6.4, 7.5), "cpp": (7.2, 7.0, 7.4)}, {"rust", "go"}),
        # Where none can be told from the best, or nobody else competes, none is the best.
        ({"go": (7.0, 5.0, 9.0), "rust": (6.1, 6.0, 6.2)}, set()),
        ({"go": 6.1, "rust": 6.1}, set()),
        ({"rust": 6.1}, set()),
        ({"rust": 6.1, "floor": 18.4}, set()),
        ({"rust": 6.1, "go": None}, set()),
        ({"rust": None, "go": None}, set()),
        # The floor does not compete.
        ({"rust": 6.1, "go": 11.0, "floor": 0.5}, {"rust"}),
    ],
)
def test_the_best_and_what_cannot_be_told_from_it(figures: dict[str, Figure], names: set[str]) -> None:
    assert marked(*(row(name, peak_rss_mib=figure) for name, figure in figures.items())) == names


def test_a_row_that_is_not_valid_does_not_compete() -> None:
    others = [row("go", peak_rss_mib=11.0), row("python", peak_rss_mib=18.4)]
    assert marked(row("rust", LATE, peak_rss_mib=6.1), *others) == {"go"}


def test_rows_compete_with_those_that_have_as_many_agents() -> None:
    rows = [
        row(name, agents=agents, peak_rss_mib=peak)
        for agents, peaks in ((100, {"go": 11.0, "rust": 6.1}), (1000, {"go": 26.5, "rust": 28.8}))
        for name, peak in peaks.items()
    ]
    found = best(rows, "peak_rss_mib", "{:.1f}".format)
    assert {(cell.runtime, cell.agents) for cell in found} == {("rust", 100), ("go", 1000)}


interval = st.lists(st.integers(0, 100).map(float), min_size=3, max_size=3).map(sorted)
figure = st.none() | st.integers(0, 100).map(float) | interval.map(lambda its: (its[1], its[0], its[2]))


@given(st.lists(st.tuples(figure, st.booleans()), max_size=6), figure, st.randoms(use_true_random=False))
def test_the_marked_are_valid_and_meet_the_least_whatever_the_order(
    contenders: list[tuple[Figure, bool]], floor: Figure, chance: random.Random
) -> None:
    rows = [
        row(f"runtime-{number}", *(() if valid else (LATE,)), peak_rss_mib=its)
        for number, (its, valid) in enumerate(contenders)
    ]
    rows.append(row("floor", peak_rss_mib=floor))
    ends = {}
    for each in rows:
        metric = each.metrics["peak_rss_mib"]
        if each.valid and each.cell.runtime != "floor" and metric.median is not None:
            low, high = metric.ci95 or (metric.median, metric.median)
            ends[each.cell.runtime] = (metric.median, low, high)
    chance.shuffle(rows)
    found = marked(*rows)
    if found:
        _, _, least_high = min(ends.values())
        assert found == {name for name, (_, low, _) in ends.items() if low <= least_high}
        assert found < set(ends)
    else:
        assert all(low <= high for _, low, _ in ends.values() for _, _, high in [min(ends.values())])
