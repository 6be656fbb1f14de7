"""Which runtime to pick and why, in words, from figures that can be checked by hand."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentdyno.analysis.gate import Failure
from agentdyno.report.page.findings import Pick, findings, picks
from agentdyno.results.experiment import Experiment
from agentdyno.results.summary import Row
from agentdyno.rundata.cell import AA_CONTROL
from report.page.synthetic import control, experiment, row

LATE = Failure("endpoint on time", 2, "the endpoint was late", "give it a core", is_fault=False)
NOISY = Failure("A/A", None, "rust against itself: it differs", "measure again", is_fault=False)


def said(found: Experiment) -> list[str]:
    return [finding.text for finding in findings(found)]


def led(found: Experiment) -> list[list[str]]:
    """Who leads in each criterion; all of them where none can be told from another."""
    return [[place.runtime for place in finding.ranking.leaders] for finding in findings(found)]


def test_a_clear_winner_has_its_ratio_to_the_next_and_to_the_last(tmp_path: Path) -> None:
    found = experiment(tmp_path, row("python", 20, 40, 60), row("rust", 8, 16, 24), row("node", 40, 80, 120))
    assert picks(found) == [
        Pick("at 100 agents", ["rust"], "least memory, lowest overhead and least processor time")
    ]
    assert led(found) == [["rust"]] * 3
    for sentence, best in zip(
        said(found), ("Least memory", "Lowest overhead", "Least processor time"), strict=True
    ):
        assert sentence.startswith(f"{best} at 100 agents: rust, 16.0 ")
        assert "0.40 times that of python, the next" in sentence
        assert sentence.endswith("0.20 times that of node, the most.")


def test_the_ratio_is_that_of_the_runs_of_one_block(tmp_path: Path) -> None:
    # The medians are 2 and 8, but in each block the one took half of what the other took.
    found = experiment(tmp_path, row("rust", 1, 2, 8), row("python", 2, 8, 16, peak_rss_mib=[2, 4, 16]))
    assert "0.50 times that of python" in said(found)[0]


def test_where_the_interval_holds_1_nobody_wins(tmp_path: Path) -> None:
    found = experiment(tmp_path, row("rust", 9, 10, 11), row("go", 12, 11, 8), row("node", 90, 100, 110))
    (pick,) = picks(found)
    assert pick.runtimes == ["go", "rust"]
    assert led(found)[0] == ["rust", "go"]
    assert "rust (10.0 MiB) and go (11.0 MiB) cannot be told apart" in said(found)[0]
    assert "that of node, the next" in said(found)[0]


def test_where_nobody_can_be_told_from_the_first_there_is_no_next(tmp_path: Path) -> None:
    found = experiment(tmp_path, row("rust", 9, 10, 11), row("go", 12, 11, 8))
    assert said(found)[0].endswith("rust (10.0 MiB) and go (11.0 MiB) cannot be told apart.")


def test_the_first_is_also_compared_with_the_baseline(tmp_path: Path) -> None:
    rows = [row(name, *(n * k for k in (1, 2, 3))) for n, name in enumerate(("a", "b", "c", "d"), 1)]
    sentence = said(experiment(tmp_path, *rows, baseline="c"))[0]
    parts = ("0.50 times that of b, the next", "0.33 times that of c, the baseline")
    assert [part in sentence for part in parts] == [True] * 2
    assert sentence.endswith("0.25 times that of d, the most.")
    tied = experiment(tmp_path, row("rust", 9, 10, 11), row("go", 12, 10.5, 8), baseline="go")
    assert "that of go, the baseline" in said(tied)[0]
    for known in ("a", "b"):
        assert "baseline" not in said(experiment(tmp_path, *rows, baseline=known))[0]


def test_a_difference_that_a_runtime_has_from_itself_means_nothing(tmp_path: Path) -> None:
    rows = row("rust", 9, 18, 27), row("go", 10, 20, 30)
    assert picks(experiment(tmp_path, *rows))[0].runtimes == ["rust"]
    twin = control(AA_CONTROL, "rust", peak_rss_mib=[0.8, 0.8, 0.8])
    found = experiment(tmp_path, *rows, compared=[twin])
    assert led(found)[0] == ["rust", "go"]
    (pick,) = picks(found)
    assert pick.runtimes == ["rust"]
    assert "in memory it cannot be told from go" in pick.why


@pytest.mark.parametrize("runs", [[4.0], [4.0, 4.0]])
def test_fewer_than_three_blocks_tell_nothing_and_the_way_to_more_is_said(
    tmp_path: Path, runs: list[float]
) -> None:
    found = experiment(tmp_path, row("rust", *runs), row("go", *(2 * run for run in runs)))
    (pick,) = picks(found)
    assert pick.runtimes == []
    assert "--repeats 3" in pick.why
    assert "rust (4.00 MiB) and go (8.00 MiB)" in said(found)[0]
    assert "that of" not in said(found)[0]


def test_who_leads_in_two_of_three_is_picked_and_the_third_is_said(tmp_path: Path) -> None:
    found = experiment(tmp_path, row("rust", 1, 2, 3, overhead_ms_p50=[8, 16, 24]), row("go", 4, 8, 12))
    assert picks(found) == [
        Pick("at 100 agents", ["rust"], "least memory and least processor time; lowest overhead: go")
    ]


def test_where_each_leads_in_one_it_depends(tmp_path: Path) -> None:
    least = [1, 2, 3]
    found = experiment(
        tmp_path,
        row("rust", 4, 8, 12, peak_rss_mib=least),
        row("go", 4, 8, 12, overhead_ms_p50=least),
        row("node", 4, 8, 12, cpu_s_per_task=[0.001, 0.002, 0.003]),
    )
    assert picks(found) == [
        Pick(
            "at 100 agents",
            [],
            "it depends on what is scarce. Least memory: rust; lowest overhead: go; least processor time: "
            "node",
        )
    ]


def test_rows_that_are_not_valid_are_not_picked(tmp_path: Path) -> None:
    late = row("rust", 1, 2, 3, failures=[LATE])
    go, node = row("go", 2, 4, 6), row("node", 4, 8, 12)
    assert picks(experiment(tmp_path, late, go, node))[0].runtimes == ["go"]
    assert picks(experiment(tmp_path, late, go)) == [
        Pick(
            "at 100 agents", ["go"], "no other runtime's row is valid, so there is nothing to choose between"
        )
    ]
    none = experiment(tmp_path, late)
    assert (picks(none), said(none)) == ([Pick("at 100 agents", [], "no row is valid")], [])


def test_where_a_control_failed_no_row_is_valid_and_none_is_picked(tmp_path: Path) -> None:
    noisy = [row(name, *runs, failures=[NOISY]) for name, runs in (("rust", (1, 2, 3)), ("go", (4, 8, 12)))]
    assert picks(experiment(tmp_path, *noisy)) == [Pick("at 100 agents", [], "no row is valid")]


def test_the_floor_is_the_limit_and_not_to_be_picked(tmp_path: Path) -> None:
    floor, rust = row("floor", 0.1, 0.2, 0.3), row("rust", 1, 2, 3)
    found = experiment(tmp_path, floor, rust)
    assert picks(found) == [
        Pick("at 100 agents", ["rust"], "nothing else was measured, so there is nothing to choose between")
    ]
    assert said(found)[0] == "Memory at 100 agents: rust, 2.00 MiB."
    assert picks(experiment(tmp_path, floor)) == [
        Pick("at 100 agents", [], "only the practical limit was measured")
    ]


def test_memory_is_taken_with_tests_and_the_rest_without(tmp_path: Path) -> None:
    rows = [
        row(name, *(factor * run for run in runs), verifier=verifier)
        for verifier, factor in (("null", 1), ("cold", 10))
        for name, runs in (("rust", (1, 2, 3)), ("go", (2, 4, 6)))
    ]
    found = findings(experiment(tmp_path, *rows))
    assert [each.ranking.verifier for each in found] == ["cold", "null", "null"]
    assert "rust, 20.0 MiB, 0.50 times that of go" in found[0].text


def test_who_has_nobody_to_be_compared_with_leads_in_nothing(tmp_path: Path) -> None:
    found = experiment(
        tmp_path,
        row("rust", 1, 2, 3, verifier="cold"),
        row("go", 2, 4, 6, verifier="cold", failures=[LATE]),
        row("rust", 1, 2, 3, failures=[LATE]),
        row("go", 2, 4, 6),
    )
    assert picks(found) == [Pick("at 100 agents", [], "of no two are there figures with one verifier")]
    assert said(found)[0] == "Memory at 100 agents, verifier cold: rust, 2.00 MiB."


def test_each_number_of_agents_has_its_own_pick(tmp_path: Path) -> None:
    found = experiment(
        tmp_path,
        row("rust", 4, 8, 12, agents=1000),
        row("go", 1, 2, 3, agents=1000),
        row("rust", 1, 2, 3, agents=1),
        row("go", 4, 8, 12, agents=1),
    )
    assert [(pick.where, pick.runtimes) for pick in picks(found)] == [
        ("at 1 agent", ["rust"]),
        ("at 1,000 agents", ["go"]),
    ]
    assert said(found)[-1].startswith("Least processor time at 1,000 agents: go, ")


def test_a_figure_that_is_missing_is_no_reason(tmp_path: Path) -> None:
    nothing = [None, None, None]
    missing = {"overhead_ms_p50": nothing, "cpu_s_per_task": nothing}
    found = experiment(tmp_path, row("rust", 1, 2, 3, **missing), row("go", 2, 4, 6, **missing))
    assert picks(found) == [Pick("at 100 agents", ["rust"], "least memory")]


def test_two_that_share_no_block_are_not_told_apart(tmp_path: Path) -> None:
    found = experiment(
        tmp_path,
        row("rust", 1, 2, 3, peak_rss_mib=[1, None, None]),
        row("go", 2, 4, 6, peak_rss_mib=[None, 4, 6]),
    )
    assert "rust (1.00 MiB) and go (5.00 MiB)" in said(found)[0]
    assert picks(found)[0].runtimes == ["rust"]  # by overhead and processor time


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from(["rust", "go", "python", "floor"]),
        st.lists(st.floats(0.1, 1000), min_size=3, max_size=3),
        min_size=1,
    )
)
def test_nobody_is_called_best_whose_interval_holds_1(tmp_path: Path, peaks: dict[str, list[float]]) -> None:
    rows: list[Row] = [row(name, *runs) for name, runs in peaks.items()]
    for finding in findings(experiment(tmp_path, *rows)):
        first, *others = finding.ranking.places
        assert all(place.figure >= first.figure for place in others)
        if len(finding.ranking.leaders) == 1:
            assert all(place.over_best_other is None or place.over_best_other[0] > 1 for place in others)
        assert "floor" not in finding.text
