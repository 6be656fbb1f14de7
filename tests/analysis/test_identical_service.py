"""Runs that are held to each other: all were asked the same and came to the same outcomes."""

from dataclasses import replace
from typing import Any

from agentdyno.analysis.gate import Failure
from agentdyno.analysis.run_analysis import RunAnalysis
from agentdyno.results.summary import Row, summarise
from analysis.conftest import Build
from analysis.synthetic import CELL, attempt_of, change_outcome, good_run, request_of, task_of

FIRST = "001-python-20-cold-chat-7b"


def row(*runs: RunAnalysis, simulated: bool = True) -> Row:
    (found,) = summarise(runs, [runs[0].cell], simulated=simulated, baseline=None).rows
    return found


def unlike() -> dict[str, Any]:
    """A run whose second attempt at `b` asked for something else."""
    run = good_run()
    for line in attempt_of(run, "b", 2), request_of(run, "b", 2):
        line["request_sha256"] = "changed"
    return run


def differing(run: int, reference: str) -> Failure:
    return Failure(
        "identical requests",
        run,
        f"1 requests differ from those of {reference}, the first: b attempt 2",
        "see messages.json and feedback.json of the contract's vectors",
        is_fault=True,
    )


def test_other_requests_than_in_the_first_run_are_noticed(build: Build) -> None:
    found = row(build(good_run()), build(unlike(), block=2))
    assert found.failures == [differing(2, FIRST)]
    assert found.failures[0].line == (
        f"run 2: 1 requests differ from those of {FIRST}, the first: b attempt 2: "
        "see messages.json and feedback.json of the contract's vectors"
    )


def test_what_most_runs_asked_is_what_the_others_are_held_to(build: Build) -> None:
    found = row(build(unlike()), build(good_run(), block=2), build(good_run(), block=3))
    assert found.failures == [differing(1, "002-python-20-cold-chat-7b")]


def test_a_control_is_held_to_the_run_that_it_repeats(build: Build) -> None:
    twin = build(unlike(), replace(CELL, control="twin"))
    (found,) = summarise([twin, build(good_run())], [CELL], simulated=True, baseline=None).rows
    assert [failure.reason for failure in found.failures] == [
        f"twin: 1 requests differ from those of {FIRST}, the first: b attempt 2"
    ]


def test_a_real_model_may_answer_otherwise_and_so_be_asked_otherwise(build: Build) -> None:
    cell = replace(CELL, profile="real:m")
    assert row(build(good_run(), cell), build(unlike(), cell, block=2), simulated=False).valid


def test_a_real_model_is_asked_the_same_at_first(build: Build) -> None:
    cell = replace(CELL, profile="real:m")
    other = good_run()
    for line in attempt_of(other, "c"), request_of(other, "c"):
        line["request_sha256"] = "changed"
    found = row(build(good_run(), cell), build(other, cell, block=2), simulated=False)
    assert [failure.reason for failure in found.failures] == [
        "1 requests differ from those of 001-python-20-cold-real-m, the first: c attempt 1"
    ]


def test_other_outcomes_than_in_the_first_run_are_noticed(build: Build) -> None:
    other = good_run()
    other["events"].remove(attempt_of(other, "b", 2))
    attempt_of(other, "b")["verdict"] = "passed"
    task_of(other, "b")["attempts"] = 1
    other["journal"].remove(request_of(other, "b", 2))
    found = row(build(good_run()), build(other, block=2))
    assert found.failures == [
        differing(2, FIRST),
        Failure(
            "identical outcomes",
            2,
            f"1 outcomes differ from those of {FIRST}, the first: b",
            "compare that task's attempts in the two runs' events.jsonl",
            is_fault=True,
        ),
    ]


def test_a_run_is_not_held_to_one_that_crashed(build: Build) -> None:
    crashed = good_run()
    del crashed["events"][3:], crashed["journal"][3:-1]
    change_outcome(exit_code=-11)(crashed)
    cells = [replace(CELL, runtime="broken"), CELL]
    runs = [build(crashed, cells[0]), build(good_run(), cells[1], block=2)]
    broken, sound = summarise(runs, cells, simulated=True, baseline=None).rows
    assert not broken.valid
    assert sound.failures == []


def test_runs_of_another_verifier_or_of_as_many_agents_as_not_are_not_compared(build: Build) -> None:
    for change in ({"verifier": "null"}, {"agents": 19}):
        cells = [replace(CELL, runtime=next(iter(change))), replace(CELL, **change)]
        runs = [build(good_run(), cells[0]), build(unlike(), cells[1])]
        assert [found.failures for found in summarise(runs, cells, simulated=True, baseline=None).rows] == [
            [],
            [],
        ]
