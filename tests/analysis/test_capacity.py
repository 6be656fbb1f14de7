"""The search for the largest number of agents, against runtimes of which it is known."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentdyno.analysis.bottleneck import Bottleneck
from agentdyno.analysis.capacity import RESOLUTION, Capacity, Objective, capacity, next_to_try
from agentdyno.analysis.gate import Failure
from agentdyno.analysis.metrics import TaskRow
from agentdyno.analysis.notes import Seen
from agentdyno.analysis.registry import MEASURED
from agentdyno.analysis.run_analysis import RunAnalysis
from agentdyno.rundata.cell import Cell

OBJECTIVE = Objective(50.0)
MOST = 50_000


def run(agents: int, **figures: float | None) -> RunAnalysis:
    """A run that keeps the objective, unless `figures` say otherwise."""
    kept = {"max_in_flight": agents, "overhead_ms_p99": 50.0}
    return RunAnalysis(
        cell=Cell("python", agents, "null", "crowd"),
        block=1,
        folder=Path("run"),
        interrupted=False,
        metrics={**dict.fromkeys(MEASURED), **kept, **figures},
        methods={},
        slowest_ms=None,
        bottleneck=None,
        tasks=[],
        failures=[],
        requests={},
        outcomes={},
        seen=Seen(0, 0, Counter(), Counter(), {}),
        cores=2,
    )


def slow(agents: int) -> RunAnalysis:
    return run(agents, overhead_ms_p99=50.1)


def task(outcome: str, reason: str | None) -> TaskRow:
    return TaskRow("a", outcome, 1, 0, 1.0, 0.0, None, None, None, None, reason)


def search(keeps: dict[int, bool] | int, asked: list[int]) -> tuple[list[int], Capacity]:
    """All numbers that are tried, those asked for first, and what comes of it."""

    def of(agents: int) -> RunAnalysis:
        kept = agents <= keeps if isinstance(keeps, int) else keeps.get(agents, agents < MOST)
        return run(agents) if kept else slow(agents)

    tried = list(asked)
    while (agents := next_to_try(capacity([of(number) for number in tried], OBJECTIVE))) is not None:
        assert agents >= 1
        assert agents not in tried
        tried.append(agents)
    return tried, capacity([of(number) for number in tried], OBJECTIVE)


ASKED = st.lists(st.integers(1, MOST), min_size=1, max_size=5, unique=True)


@settings(deadline=None)
@given(threshold=st.integers(0, MOST), asked=ASKED)
def test_the_search_ends_around_the_threshold_and_tries_nothing_twice(
    threshold: int, asked: list[int]
) -> None:
    _, found = search(threshold, asked)
    assert found.broken is not None
    assert found.kept <= threshold < found.broken
    assert found.broken <= found.kept * RESOLUTION or found.broken == found.kept + 1


@settings(deadline=None)
@given(
    kept=st.lists(st.integers(1, MOST), max_size=50),
    broken=st.lists(st.integers(1, MOST), max_size=50),
    asked=ASKED,
)
def test_the_search_ends_also_where_larger_numbers_do_better(
    kept: list[int], broken: list[int], asked: list[int]
) -> None:
    tried, found = search(dict.fromkeys(kept, True) | dict.fromkeys(broken, False), asked)
    assert found.kept in (0, *tried)
    assert found.broken in tried


def test_the_numbers_that_are_tried() -> None:
    tried, found = search(300, [1, 10, 100])
    assert tried == [1, 10, 100, 200, 400, 283, 336]
    assert (found.kept, found.broken) == (283, 336)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (run(1000), []),
        (run(1000, max_in_flight=990), []),
        (run(1000, max_in_flight=989), ["989 of 1000 agents were in flight at once"]),
        (run(1000, max_in_flight=None), ["0 of 1000 agents were in flight at once"]),
        (run(1000, overhead_ms_p99=50.1), ["overhead p99 50.1 ms (limit 50 ms)"]),
        (replace(run(3, overhead_ms_p99=None), slowest_ms=50.0), []),
        (
            replace(run(3, overhead_ms_p99=None), slowest_ms=61.04),
            ["overhead max 61.0 ms (limit 50 ms)"],
        ),
        (run(3, overhead_ms_p99=None), ["overhead unknown (limit 50 ms)"]),
        (
            replace(run(3), tasks=[task("failed", None), task("error", "connect timed out")]),
            ["1 task ended as an error, the first: connect timed out"],
        ),
        (
            replace(run(3), tasks=[task("error", "reset"), task("passed", None), task("error", "late")]),
            ["2 tasks ended as errors, the first: reset"],
        ),
        (
            replace(run(3, max_in_flight=1, overhead_ms_p99=70.0), tasks=[task("error", None)]),
            [
                "1 of 3 agents were in flight at once",
                "overhead p99 70.0 ms (limit 50 ms)",
                "1 task ended as an error, the first: no reason given",
            ],
        ),
    ],
)
def test_why_a_run_does_not_keep_the_objective(made: RunAnalysis, expected: list[str]) -> None:
    assert OBJECTIVE.broken(made) == expected


def test_a_runtime_that_crashes_does_not_keep_the_objective_however_fast_it_was() -> None:
    crashed = [
        Failure("ended in order", 1, "the runtime ended with signal 9", "see runtime.stderr", True),
        Failure(
            "tasks accounted for", 1, "2 tasks lost, without any outcome: a, b", "see events.jsonl", True
        ),
    ]
    reasons = ["the runtime ended with signal 9", "2 tasks lost, without any outcome: a, b"]
    assert OBJECTIVE.broken(replace(run(3), failures=crashed)) == reasons


def test_other_gates_are_no_part_of_the_objective() -> None:
    untidy = Failure("ended in order", 1, "workspaces that were left behind and removed: 1", "", True)
    few = Failure("enough samples", 1, "3 attempts with a ledger are too few", "raise --limit", False)
    assert OBJECTIVE.broken(replace(run(3), failures=[untidy, few])) == []


LIMITED = Bottleneck("begin", "open files", "the runtime reports: EMFILE", True)


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([], Capacity(0, None, [], None)),
        ([run(10), run(10), slow(10)], Capacity(10, None, [], None)),
        ([run(10), slow(10)], Capacity(10, None, [], None)),
        (
            [run(10), run(20), replace(slow(20), bottleneck=LIMITED), slow(20)],
            Capacity(10, 20, ["overhead p99 50.1 ms (limit 50 ms)"], LIMITED),
        ),
        ([run(10), slow(20), run(40)], Capacity(10, 20, ["overhead p99 50.1 ms (limit 50 ms)"], None)),
        ([run(10), replace(slow(20), interrupted=True)], Capacity(10, None, [], None)),
    ],
)
def test_most_of_the_runs_that_were_not_interrupted_decide(
    runs: list[RunAnalysis], expected: Capacity
) -> None:
    assert capacity(runs, OBJECTIVE) == expected
