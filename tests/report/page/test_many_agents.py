"""Which runtime to pick for many agents, by what a sweep has found."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from agentdyno.report.page.findings import Pick, picks_for_many
from agentdyno.results.experiment import Experiment
from agentdyno.results.summary import Row
from report.page.synthetic import ITS_OWN, experiment, row, swept

AGENTS = (1, 10, 100)


def points(runtime: str, kib: Sequence[float], verifier: str = "null") -> list[Row]:
    """The rows of a sweep in which an agent takes so many KiB, in each block."""
    return [
        row(runtime, *(5 + agents * each / 1024 for each in kib), agents=agents, verifier=verifier)
        for agents in AGENTS
    ]


@pytest.fixture
def measured(tmp_path: Path) -> Experiment:
    """Three blocks in which rust takes least an agent, and go and python cannot be told apart."""
    return experiment(
        tmp_path,
        *points("rust", [3.0, 3.1, 3.0]),
        *points("go", [14.0, 14.5, 14.2]),
        *points("python", [14.3, 14.1, 14.4]),
        *points("floor", [1.0, 1.0, 1.0]),
    )


def test_the_one_with_less_memory_and_more_agents(measured: Experiment) -> None:
    found = [swept("go", 14, 200, 240), swept("rust", 3, 5000, 6000), swept("floor", 1, 9000, None)]
    assert picks_for_many(measured, found) == [
        Pick("for many agents", ["rust"], "least memory an agent and most agents within the objective")
    ]


def test_slopes_that_cannot_be_told_apart_and_capacities_that_may_be_the_same_decide_nothing(
    measured: Experiment,
) -> None:
    (pick,) = picks_for_many(measured, [swept("go", 14, 200, 240), swept("python", 15, 220, 260)])
    assert pick.runtimes == ["go", "python"]


def test_one_block_cannot_tell_slopes_apart(tmp_path: Path) -> None:
    once = experiment(tmp_path, *points("rust", [3.0]), *points("go", [14.0]))
    (pick,) = picks_for_many(once, [swept("go", 14, 5000, 6000), swept("rust", 3, 200, 240)])
    assert pick == Pick("for many agents", ["go"], "most agents within the objective")


def test_a_limit_that_is_not_the_runtimes_is_not_its_capacity(measured: Experiment) -> None:
    rust = swept("rust", 3, 200, 240)
    by_endpoint = replace(rust.capacity, bottleneck=replace(ITS_OWN, is_runtimes=False))
    (pick,) = picks_for_many(measured, [swept("go", 14, 5000, 6000), replace(rust, capacity=by_endpoint)])
    assert pick.runtimes == ["rust"]
    assert "in the number of agents it cannot be told from go" in pick.why


def test_a_runtime_of_which_no_run_was_whole_is_not_said_to_have_many_agents(measured: Experiment) -> None:
    lost = replace(swept("go", 14, 0, None), memory=None)
    (pick,) = picks_for_many(measured, [lost, swept("rust", 15, 220, 260)])
    assert pick.runtimes == ["rust"]


def test_each_verifier_has_its_own_pick(measured: Experiment) -> None:
    found = picks_for_many(measured, [swept("rust", 3, 200, 240), swept("go", 3, 200, 240, verifier="cold")])
    why = "nothing else was measured, so there is nothing to choose between"
    assert found == [
        Pick("for many agents, verifier null", ["rust"], why),
        Pick("for many agents, verifier cold", ["go"], why),
    ]


def test_without_a_run_that_was_whole_there_is_nothing_to_pick(measured: Experiment) -> None:
    nothing = replace(swept("rust", 3, 0, None), memory=None)
    assert picks_for_many(measured, [nothing]) == [Pick("for many agents", [], "no row is valid")]
