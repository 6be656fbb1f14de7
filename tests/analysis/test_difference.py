"""The rule of difference: what it claims of rows that differ, and what it leaves alone of equal ones."""

from collections.abc import Mapping

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulate_difference import NOISE, ROWS, simulated, wrong_share

from agentdyno.analysis.difference import Answer, Control, Difference, compare_rows
from agentdyno.analysis.sittings import compare_sittings

EXPERIMENTS = 200
Figures = dict[int, float | None]


def rows(**figures: list[float]) -> dict[str, Figures]:
    return {name: dict(enumerate(values, start=1)) for name, values in figures.items()}


@pytest.mark.parametrize("metric", NOISE)
@pytest.mark.parametrize("blocks", [3, 5, 10])
def test_among_equal_rows_a_difference_is_claimed_in_at_most_one_experiment_of_twenty(
    metric: str, blocks: int
) -> None:
    assert wrong_share(metric, blocks, ROWS, EXPERIMENTS, seed=blocks) <= 0.05


@pytest.mark.parametrize(("metric", "ratio"), [("memory", 1.1), ("processor time", 1.5), ("overhead", 3.0)])
def test_rows_that_differ_are_told_apart_by_ten_blocks(metric: str, ratio: float) -> None:
    draw = numpy.random.default_rng(7)
    found = [compare_rows(*simulated(draw, metric, 10, ratio)) for _ in range(40)]
    told = sum(group.differences[1, 0].answer is Answer.MORE for group in found)
    assert told >= 0.7 * len(found)


def test_equal_rows_of_two_sittings_are_not_told_apart() -> None:
    draw = numpy.random.default_rng(3)
    wrong = 0
    for _ in range(EXPERIMENTS):
        base, new = (list(numpy.exp(draw.normal(0, 0.01, 5))) for _ in range(2))
        found = compare_sittings(base, new, [], 1.05, comparisons=1)
        wrong += found is None or found.answer in (Answer.LESS, Answer.MORE)
    assert wrong <= 0.05 * EXPERIMENTS


def test_the_row_with_less_leads_and_the_answers_mirror_each_other() -> None:
    found = compare_rows(rows(small=[10.0, 10.1, 10.0], large=[20.0, 20.1, 20.2], huge=[90.0, 90.5, 90.1]))
    assert found.leaders == ["small"]
    assert found.differences["small", "large"].answer is Answer.LESS
    assert found.differences["large", "small"].answer is Answer.MORE
    assert found.blocks == 3


def test_what_slows_a_whole_block_slows_no_row() -> None:
    found = compare_rows(rows(one=[10.0, 20.0, 40.0, 80.0], other=[11.0, 22.0, 44.0, 88.0]))
    assert found.differences["one", "other"].answer is Answer.LESS


def test_with_fewer_than_three_blocks_nothing_can_be_told() -> None:
    found = compare_rows(rows(one=[1.0, 1.0], other=[100.0, 100.0]))
    assert not found.can_tell
    assert found.leaders == []
    assert found.differences["one", "other"] == Difference(0.01, None)
    assert found.differences["one", "other"].answer is Answer.UNKNOWN


def test_blocks_that_one_row_lacks_do_not_count() -> None:
    figures = rows(one=[10.0, 10.0, 10.0, 10.0], other=[20.0, 20.0, 20.0])
    assert compare_rows(figures).blocks == 3


def test_a_row_with_a_figure_of_0_has_no_ratio_and_is_left_out() -> None:
    found = compare_rows(rows(one=[1.0, 1.0, 1.0], other=[2.0, 2.0, 2.0], none=[0.0, 0.0, 0.0]))
    assert found.rows == ("one", "other")


def test_nothing_below_one_per_cent_is_claimed() -> None:
    found = compare_rows(rows(one=[1000.0] * 10, other=[1009.0] * 10))
    assert found.differences["one", "other"].answer is Answer.SAME
    assert found.leaders == []


def test_a_failed_a_a_control_widens_every_interval() -> None:
    figures = rows(one=[10.0, 10.1, 9.9, 10.0], other=[12.0, 12.1, 11.9, 12.0])
    steady = Control(figures["one"], figures["one"])
    noisy = Control(figures["one"], {block: value and value * 1.5 for block, value in figures["one"].items()})
    assert compare_rows(figures, steady).leaders == ["one"]
    assert compare_rows(figures, noisy).leaders == []


def test_equal_rows_are_the_same_within_five_per_cent_when_blocks_agree() -> None:
    found = compare_rows(rows(one=[10.0, 10.01, 10.0, 10.02], other=[10.01, 10.0, 10.01, 10.01]))
    assert found.differences["one", "other"].answer is Answer.SAME


def test_figures_of_any_size_are_compared() -> None:
    found = compare_rows(rows(one=[1e-300, 1e300, 1.0], other=[1e300, 1e-300, 1.0]))
    assert found.differences["one", "other"].answer is Answer.UNKNOWN


@settings(deadline=None)
@given(
    figures=st.dictionaries(
        st.sampled_from("abcde"),
        st.lists(st.floats(0.1, 1e6), min_size=3, max_size=12),
        min_size=2,
        max_size=5,
    )
)
def test_marks_and_intervals_never_contradict_each_other(figures: Mapping[str, list[float]]) -> None:
    found = compare_rows(rows(**figures))
    for row in found.rows:
        over_best = found.over_best_other(row)
        if over_best is None:
            continue
        beaten = any(
            found.differences[other, row].answer is Answer.LESS for other in found.rows if other != row
        )
        assert beaten == (over_best[0] > 1)
        if found.leaders:
            assert (row in found.leaders) != beaten
    for (one, other), each in found.differences.items():
        if each.ci95 is not None:
            assert each.ci95[0] <= each.ci95[1]
            mirrored = {Answer.LESS: Answer.MORE, Answer.MORE: Answer.LESS}.get(each.answer)
            if mirrored:
                assert found.differences[other, one].answer is mirrored
