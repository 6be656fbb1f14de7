"""Which figures are marked as the best of a column, and what stands beside them."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdyno.report.columns import best, compared, over_best_other
from agentdyno.report.page.findings import findings
from agentdyno.results.summary import Row
from report.synthetic import SPOILT, Figure, experiment, row

PEAK = "peak_rss_mib"


def marked(*rows: Row) -> set[str]:
    return {cell.runtime for cell in best(compared(experiment(rows), rows, PEAK))}


@pytest.mark.parametrize(
    ("figures", "names"),
    [
        ({"go": (11.0, 10.9, 11.1), "rust": (6.1, 6.0, 6.2)}, {"rust"}),
        ({"go": (6.2, 6.0, 6.3), "rust": (6.1, 6.0, 6.2), "python": (18.4, 18.3, 18.5)}, {"go", "rust"}),
        # Where none can be told from another, or nobody else competes, none is the best.
        ({"go": (6.2, 5.0, 9.0), "rust": (6.1, 6.0, 6.2)}, set()),
        ({"rust": (6.1, 6.0, 6.2)}, set()),
        ({"rust": (6.1, 6.0, 6.2), "floor": (18.4, 18.3, 18.5)}, set()),
        ({"rust": (6.1, 6.0, 6.2), "go": None}, set()),
        ({"rust": None, "go": None}, set()),
        # A single run tells nothing.
        ({"go": 11.0, "rust": 6.1, "python": 18.4}, set()),
        # The floor does not compete.
        ({"rust": (6.1, 6.0, 6.2), "go": (11.0, 10.9, 11.1), "floor": (0.5, 0.5, 0.5)}, {"rust"}),
    ],
)
def test_the_best_and_what_cannot_be_told_from_it(figures: dict[str, Figure], names: set[str]) -> None:
    assert marked(*(row(name, peak_rss_mib=figure) for name, figure in figures.items())) == names


def test_a_row_that_is_not_valid_does_not_compete() -> None:
    others = [row("go", peak_rss_mib=(11.0, 10.9, 11.1)), row("python", peak_rss_mib=(18.4, 18.3, 18.5))]
    assert marked(row("rust", SPOILT, peak_rss_mib=(6.1, 6.0, 6.2)), *others) == {"go"}


def test_rows_compete_with_those_that_have_as_many_agents() -> None:
    rows = [
        row(name, agents=agents, peak_rss_mib=(peak, peak - 0.1, peak + 0.1))
        for agents, peaks in ((100, {"go": 11.0, "rust": 6.1}), (1000, {"go": 26.5, "rust": 38.8}))
        for name, peak in peaks.items()
    ]
    found = best(compared(experiment(rows), rows, PEAK))
    assert {(cell.runtime, cell.agents) for cell in found} == {("rust", 100), ("go", 1000)}


runs = st.lists(st.integers(1, 100).map(float), min_size=3, max_size=3).map(sorted)
figure = st.none() | runs.map(lambda its: (its[1], its[0], its[2]))


@given(
    st.lists(st.tuples(figure, st.booleans()), min_size=1, max_size=6),
    figure,
    st.randoms(use_true_random=False),
)
def test_mark_pick_and_ratio_agree_whatever_the_order(
    contenders: list[tuple[Figure, bool]], floor: Figure, chance: random.Random
) -> None:
    rows = [
        row(f"runtime-{number}", *(() if valid else (SPOILT,)), peak_rss_mib=its)
        for number, (its, valid) in enumerate(contenders)
    ]
    rows.append(row("floor", peak_rss_mib=floor))
    chance.shuffle(rows)
    made = experiment(rows, baseline=None)
    groups = compared(made, rows, PEAK)
    found = best(groups)
    valid = {each.cell for each in rows if each.valid and each.cell.runtime != "floor"}
    assert found < valid or not found
    for cell, ends in over_best_other(groups).items():
        assert cell in valid
        if found and ends is not None:
            assert (cell in found) == (ends[0] <= 1)
    for finding in findings(made):
        if finding.ranking.criterion.metric == PEAK and found:
            assert {place.row.cell for place in finding.ranking.leaders} == found
