"""Which runtime to pick for many agents, by what a sweep has found."""

from dataclasses import replace

from agentdyno.report.page.pick import Pick, picks_for_many
from report.page.synthetic import ITS_OWN, swept


def test_the_one_with_less_memory_and_more_agents() -> None:
    assert picks_for_many(
        [swept("go", 14, 200, 240), swept("rust", 3, 5000, 6000), swept("floor", 1, 9000, None)]
    ) == [Pick("for many agents", ["rust"], "least memory an agent and most agents within the objective")]


def test_intervals_that_overlap_and_ceilings_that_may_be_the_same_decide_nothing() -> None:
    assert picks_for_many([swept("go", 14, 200, 240), swept("rust", 15, 220, 260)]) == [
        Pick("for many agents", ["go", "rust"], "nothing that was measured decides between them")
    ]


def test_a_limit_that_is_not_the_runtimes_is_no_ceiling_of_its() -> None:
    rust = swept("rust", 3, 200, 240)
    by_endpoint = replace(rust.capacity, bottleneck=replace(ITS_OWN, is_runtimes=False))
    assert picks_for_many([swept("go", 14, 5000, 6000), replace(rust, capacity=by_endpoint)]) == [
        Pick(
            "for many agents",
            ["rust"],
            "least memory an agent; in the number of agents it cannot be told from go",
        )
    ]


def test_a_runtime_of_which_no_run_was_whole_is_not_said_to_have_many_agents() -> None:
    lost = replace(swept("go", 14, 0, None), memory=None)
    (pick,) = picks_for_many([lost, swept("rust", 15, 220, 260)])
    assert pick.runtimes == ["rust"]


def test_each_verifier_has_its_own_pick() -> None:
    found = picks_for_many([swept("rust", 3, 200, 240), swept("go", 3, 200, 240, verifier="cold")])
    why = "nothing else was measured, so there is nothing to choose between"
    assert found == [
        Pick("for many agents, verifier null", ["rust"], why),
        Pick("for many agents, verifier cold", ["go"], why),
    ]


def test_without_a_run_that_was_whole_there_is_nothing_to_pick() -> None:
    nothing = replace(swept("rust", 3, 0, None), memory=None)
    assert picks_for_many([nothing]) == [Pick("for many agents", [], "no row is valid")]
