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


def concerns_requests(failure: Failure, run: int, reference: str, first: str) -> None:
    """The failure names one different request, the reference and the first difference, and where to look."""
    assert (failure.gate, failure.run, failure.is_fault) == ("identical requests", run, True)
    assert "1 requests" in failure.reason
    assert reference in failure.reason
    assert failure.reason.endswith(f" {first}")
    assert "messages.json" in failure.remedy


def test_requests_that_differ_from_the_first_run_are_found(build: Build) -> None:
    found = row(build(good_run()), build(unlike(), block=2))
    (failure,) = found.failures
    concerns_requests(failure, 2, FIRST, "b attempt 2")


def test_the_reference_is_what_most_runs_requested(build: Build) -> None:
    found = row(build(unlike()), build(good_run(), block=2), build(good_run(), block=3))
    (failure,) = found.failures
    concerns_requests(failure, 1, "002-python-20-cold-chat-7b", "b attempt 2")


def test_a_control_is_compared_with_the_run_that_it_repeats(build: Build) -> None:
    aa_control = build(unlike(), replace(CELL, control="twin"))
    (found,) = summarise([aa_control, build(good_run())], [CELL], simulated=True, baseline=None).rows
    (failure,) = found.failures
    assert failure.reason.startswith("A/A control: ")
    concerns_requests(failure, 1, FIRST, "b attempt 2")


def test_a_real_model_may_answer_differently_and_then_get_different_requests(build: Build) -> None:
    cell = replace(CELL, profile="real:m")
    assert row(build(good_run(), cell), build(unlike(), cell, block=2), simulated=False).valid


def test_a_real_model_gets_the_same_first_request(build: Build) -> None:
    cell = replace(CELL, profile="real:m")
    other = good_run()
    for line in attempt_of(other, "c"), request_of(other, "c"):
        line["request_sha256"] = "changed"
    found = row(build(good_run(), cell), build(other, cell, block=2), simulated=False)
    by_contract, failure = found.failures
    assert (by_contract.gate, by_contract.run) == ("first requests", 2)
    concerns_requests(failure, 2, "001-python-20-cold-real-m", "c attempt 1")


def test_two_runs_of_a_wrong_runtime_do_not_outvote_a_right_one(build: Build) -> None:
    """Both copies make other first requests, and with them other ones after a failure."""

    def wrong() -> dict[str, Any]:
        run = unlike()
        for line in attempt_of(run, "c"), request_of(run, "c"):
            line["request_sha256"] = "wrong"
        return run

    cells = [CELL, replace(CELL, runtime="copy"), replace(CELL, runtime="right")]
    runs = [build(wrong(), cells[0]), build(wrong(), cells[1]), build(good_run(), cells[2])]
    *copies, right = summarise(runs, cells, simulated=True, baseline=None).rows
    assert right.valid
    for copy in copies:
        assert {failure.gate for failure in copy.failures} == {"first requests", "identical requests"}


def test_outcomes_that_differ_from_the_first_run_are_found(build: Build) -> None:
    other = good_run()
    other["events"].remove(attempt_of(other, "b", 2))
    attempt_of(other, "b")["verdict"] = "passed"
    task_of(other, "b")["attempts"] = 1
    other["journal"].remove(request_of(other, "b", 2))
    found = row(build(good_run()), build(other, block=2))
    requests, outcomes = found.failures
    concerns_requests(requests, 2, FIRST, "b attempt 2")
    assert (outcomes.gate, outcomes.run, outcomes.is_fault) == ("identical outcomes", 2, True)
    assert "1 outcomes" in outcomes.reason
    assert FIRST in outcomes.reason
    assert outcomes.reason.endswith(" b")
    assert "events.jsonl" in outcomes.remedy


def test_a_crashed_run_is_not_the_reference(build: Build) -> None:
    crashed = good_run()
    del crashed["events"][3:], crashed["journal"][3:-1]
    change_outcome(exit_code=-11)(crashed)
    cells = [replace(CELL, runtime="broken"), CELL]
    runs = [build(crashed, cells[0]), build(good_run(), cells[1], block=2)]
    broken, sound = summarise(runs, cells, simulated=True, baseline=None).rows
    assert not broken.valid
    assert sound.failures == []


def test_runs_with_another_verifier_or_number_of_agents_are_not_compared(build: Build) -> None:
    for change in ({"verifier": "null"}, {"agents": 19}):
        cells = [replace(CELL, runtime=next(iter(change))), replace(CELL, **change)]
        runs = [build(good_run(), cells[0]), build(unlike(), cells[1])]
        assert [found.failures for found in summarise(runs, cells, simulated=True, baseline=None).rows] == [
            [],
            [],
        ]
