"""Each gate fails for its own reason, and only for that reason."""

from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from agentdyno.analysis.gate import Failure
from agentdyno.analysis.gates import GATES
from agentdyno.rundata.receipts import GONE
from analysis.conftest import Build
from analysis.synthetic import (
    CELL,
    MS,
    NAMES,
    PLAN,
    RIGHT,
    WRONG,
    Change,
    attempt_of,
    change_outcome,
    change_requests,
    good_run,
    request,
    request_of,
    requests_of,
    sample,
    scripted_run,
    task_of,
    witnessed_run,
)


class Case(NamedTuple):
    """`facts` are what the reason must name, and `remedy` what the remedy must name."""

    gate: str
    change: Change
    facts: tuple[str, ...]
    remedy: str
    run: dict[str, Any]


def case(gate: str, change: Change, *facts: str, remedy: str, run: dict[str, Any] | None = None) -> Case:
    return Case(gate, change, facts, remedy, run or good_run())


def lose_a_task(run: dict[str, Any]) -> None:
    run["events"].remove(task_of(run, "a"))


def break_a_line(run: dict[str, Any]) -> None:
    task_of(run, "a")["outcome"] = "fine"


def hash_something_else(run: dict[str, Any]) -> None:
    attempt_of(run, "a")["request_sha256"] = "other"


def on_another_clock(run: dict[str, Any]) -> None:
    for event in run["events"]:
        event |= {name: t + 10**15 for name, t in event.items() if name.startswith("t_") or name == "t"}


def say_that_it_was_sent_later(run: dict[str, Any], name: str = "a", by_ms: float = 8) -> None:
    """By so much after it arrived."""
    attempt_of(run, name)["t_request"] = round((3 + by_ms) * MS)


def end_as_error(run: dict[str, Any], *names: str) -> None:
    for name in names or "a":
        attempt_of(run, name).update(verdict="error", completion_sha256=None)
        task_of(run, name).update(outcome="error", reason="the endpoint answered 401")


def say_why(name: str, reason: str) -> Change:
    """Has the request after the first say why the first failed."""

    def change(run: dict[str, Any]) -> None:
        request_of(run, name, 2)["unplanned_failure"] = reason

    return change


def retry_in_transport(run: dict[str, Any]) -> None:
    attempt_of(run, "b")["transport_retries"] = 2


def begin_early(run: dict[str, Any]) -> None:
    run["tasks"] |= {"c": 5 * MS, "d": 1}


def request_more_than_is_reported(run: dict[str, Any]) -> None:
    run["journal"][-1:-1] = [request("a", 2, request_sha256=f"another-{number}") for number in range(20)]


def wait_before_the_wire(run: dict[str, Any]) -> None:
    for line in requests_of(run):
        line["t_arrive"] += 54 * MS


def be_late_now_and_then(run: dict[str, Any]) -> None:
    request_of(run, "a")["late_us"] = [25_001] * 15 + [500] * 85  # of 2,100


def ask_something_else(run: dict[str, Any]) -> None:
    for its in (request_of(run, "a"), attempt_of(run, "a")):
        its["request_sha256"] = "other"


def read_another_reply(run: dict[str, Any]) -> None:
    change_requests(completion_sha256="said")(run)
    attempt_of(run, "a")["completion_sha256"] = "heard"


def count_other_tokens(run: dict[str, Any]) -> None:
    request_of(run, "a").update(prompt_tokens=100, completion_tokens=200)
    attempt_of(run, "a")["usage"] = {"prompt_tokens": 100, "completion_tokens": 199}


def have_the_end_too_soon(run: dict[str, Any]) -> None:
    # By 1 ms, which the ledger does not notice.
    request_of(run, "a").update(served=True, t_finish=66 * MS, t_last=66 * MS)


def pause_for_no_reason(run: dict[str, Any]) -> None:
    attempt_of(run, "a")["transport_ns"] = MS


def look_away(run: dict[str, Any]) -> None:
    run["events"][-1]["t"] = 700 * MS


def change_receipt(number: int = 0, **changes: Any) -> Change:
    return lambda run: run["receipts"][number].update(changes)


def send_another(problem: str | None) -> Change:
    """Has one more receipt sent."""
    return lambda run: run["receipts"].append({**run["receipts"][0], "problem": problem})


def verify_nothing(run: dict[str, Any]) -> None:
    attempt_of(run, "a").update(verdict="no_code", t_queue=None, t_spawn=None, t_started=None, t_exit=None)
    attempt_of(run, "a").update(exit_code=None)
    task_of(run, "a").update(outcome="failed", attempts=1)
    run["run_file"] = {"max_retries": 0}


def kill_a_verification(run: dict[str, Any]) -> None:
    """As at a timeout, when there is no end in the receipt."""
    attempt_of(run, "b").update(verdict="timed_out", exit_code=None, signal=9, timed_out=True)
    change_receipt(t_end=None, exit_code=None, signal=None, cpu_us=None)(run)


STDERR = "runtime.stderr"
RECEIPTS = "receipts.jsonl"

CASES = [
    case(
        "events only grew",
        change_outcome(events_changed="events.jsonl was rewritten"),
        "events.jsonl was rewritten",
        remedy="SECURITY.md",
    ),
    case("ended in order", change_outcome(exit_code=-11), "signal 11", remedy=STDERR),
    case(
        "ended in order",
        change_outcome(exit_code=2, last_stderr_line="run.json: no field agents"),
        "status 2",
        "run.json: no field agents",
        remedy=STDERR,
    ),
    case(
        "ended in order",
        change_outcome(exit_code=-9, problem="the runtime hangs: no event and no open request for 1 s"),
        "the runtime hangs: no event and no open request for 1 s",
        remedy=STDERR,
    ),
    case("ended in order", change_outcome(survivors=2), "processes", "killed: 2", remedy=STDERR),
    case("ended in order", change_outcome(workspaces_left=1), "workspaces", ": 1", remedy=STDERR),
    case("tasks accounted for", lose_a_task, "1 task lost", ": a", remedy="events.jsonl"),
    case("journal agrees", lambda run: run["journal"].pop(), "journal", remedy="endpoint.stderr"),
    case(
        "journal agrees",
        hash_something_else,
        "1 reported completions",
        "request_sha256",
        "a attempt 1",
        remedy="canonical JSON",
    ),
    case(
        "ledger balances",
        say_that_it_was_sent_later,
        "1 attempts",
        "a attempt 1",
        "108.0 ms of 100.0 ms",
        remedy="journal.jsonl",
    ),
    case(
        "first requests",
        ask_something_else,
        "1 first requests",
        "not those of the contract",
        ": a",
        remedy="One task",
    ),
    case(
        "replies as sent", read_another_reply, "completion_sha256 of 1", "a attempt 1", remedy="journal.jsonl"
    ),
    case("replies as sent", count_other_tokens, "usage of 1", "a attempt 1", remedy="journal.jsonl"),
    case(
        "finished after it was sent",
        have_the_end_too_soon,
        "t_last of 1 attempts",
        "a attempt 1",
        remedy="finish reason",
    ),
    case("pauses after failures", pause_for_no_reason, "1 attempts", "a attempt 1", remedy="transport_ns"),
    case("high-water marks kept", change_outcome(peaks_reset=2), "fell 2 times", remedy="clear_refs"),
    case("sampled throughout", look_away, "for 0.6 s (limit 0.5 s)", remedy="quiet machine"),
    *(
        case("verifications witnessed", change, *facts, remedy=RECEIPTS, run=witnessed_run())
        for change, *facts in (
            (lambda run: run["receipts"].pop(0), "1 verdicts", "no receipt", "b attempt 1, failed"),
            (send_another("another program sent it"), "1 receipts", "another program"),
            (change_receipt(others=1), "1 verifications", "more files"),
            (send_another(None), "1 verifications", "no attempt reports"),
        )
    ),
    case("error rate", end_as_error, "1", "a, the endpoint answered 401", remedy="tasks.csv"),
    case("asked once", retry_in_transport, "2 requests", "b attempt 1", remedy="journal.jsonl"),
    case("begun on schedule", begin_early, "2 tasks", "intended start", ": c", remedy="start_after_ns"),
    case(
        "concurrency reached",
        change_requests(in_flight=19),
        "19 requests in flight",
        "20 agents",
        remedy="connections",
    ),
    case(
        "Little's law",
        request_more_than_is_reported,
        "Little's law",
        "105.00 completions/s",
        "0.060 s",
        "6.3 in flight",
        "12.3 in flight",
        remedy="every request",
    ),
    case(
        "endpoint on time",
        change_requests(late_us=[10_500] * 100),
        "p99",
        "10.5 ms (limit 10 ms)",
        remedy="--verify-slots",
    ),
    case(
        "endpoint on time",
        be_late_now_and_then,
        "0.7%",
        "25 ms late (limit 0.5%)",
        remedy="--verify-slots",
    ),
    case(
        "outcomes as scripted",
        lambda run: None,
        "1 verdicts",
        f"{RIGHT} attempt 1 was to pass",
        "failed (exit code 1)",
        remedy=".venv/verifier",
        run=scripted_run({(RIGHT, 1): "failed"}),
    ),
    case(
        "outcomes as scripted",
        say_why(RIGHT, "ModuleNotFoundError: No module named 'numpy'"),
        f"{RIGHT} attempt 1 was to pass",
        "No module named 'numpy'",
        remedy=".venv/verifier",
        run=scripted_run({(RIGHT, 1): "failed"}),
    ),
    case(
        "outcomes as scripted",
        lambda run: None,
        f"{WRONG} attempt 2 was to fail",
        "passed (exit code 0)",
        remedy="too weak",
        run=scripted_run({(WRONG, 2): "passed"}),
    ),
    case(
        "right in time",
        lambda run: None,
        f"1 right replies, the first: {RIGHT} attempt 1",
        remedy="--verify-timeout",
        run=scripted_run({(RIGHT, 1): "timed_out"}),
    ),
    case(
        "enough samples",
        lambda run: None,
        "19 attempts",
        "p95",
        "(at least 20)",
        remedy="--limit",
        run=good_run(NAMES[:18]),
    ),
    case(
        "little foreign load",
        change_outcome(foreign_share=0.61, foreign_programs=["rustc", "cc1plus"]),
        "61% of the processors (limit 10%)",
        "rustc and cc1plus",
        remedy="beside agentdyno",
    ),
    case("no swap", change_outcome(swapped_pages=3), "swapped 3 pages", remedy="swapoff -a"),
    case(
        "no throttling or steal",
        change_outcome(steal_share=0.031),
        "hypervisor",
        "3.1%",
        "(limit 2%)",
        remedy="dedicated processors",
    ),
    case(
        "no throttling or steal",
        change_outcome(throttled_s=1.26),
        "quota",
        "1.3 s",
        remedy="dedicated processors",
    ),
    case(
        "no throttling or steal",
        change_outcome(thermal_throttles=7),
        "heat",
        "7 times",
        remedy="dedicated processors",
    ),
]
NO_FAULTS = {
    "sampled throughout",
    "right in time",
    "endpoint on time",
    "enough samples",
    "little foreign load",
    "no swap",
    "no throttling or steal",
}


@pytest.mark.parametrize("case", CASES, ids=[f"{case.gate}: {case.facts[0]}" for case in CASES])
def test_a_gate_fails_for_its_own_reason_and_no_other_gate_does(build: Build, case: Case) -> None:
    case.change(case.run)
    found = build(case.run, block=3)
    is_fault = case.gate not in NO_FAULTS
    (failure,) = found.failures
    assert (failure.gate, failure.run, failure.is_fault) == (case.gate, 3, is_fault)
    assert [fact for fact in case.facts if fact not in failure.reason] == []
    assert case.remedy in failure.remedy
    assert failure.line == f"run 3: {failure.reason}: {failure.remedy}"
    assert found.is_sound is not is_fault
    (gate,) = (gate for gate in GATES if gate.name == case.gate)
    assert set(failure.kinds) == set(gate.kinds)


def test_each_gate_fails_in_a_case() -> None:
    assert {case.gate for case in CASES} == {gate.name for gate in GATES}


def test_a_good_run_passes_every_gate(build: Build) -> None:
    assert build(good_run()).failures == []


@pytest.mark.parametrize(
    "change",
    [
        lambda run: None,
        kill_a_verification,
        # What the code under test does says nothing of the runtime.
        lambda run: run["receipts"].append({**run["receipts"][0], "by_attempt": True}),
    ],
)
def test_a_run_with_its_receipts_passes_every_gate(build: Build, change: Change) -> None:
    run = witnessed_run()
    change(run)
    assert build(run).failures == []


@pytest.mark.parametrize(
    "changes",
    [
        {"solution_sha256": "6" * 64},
        {"tests_sha256": "6" * 64},
        {"solution_sha256": None},
        {"exit_code": 0},
        {"exit_code": None, "signal": 11},
        {"exit_code": None, "t_end": None, "cpu_us": None},
        {"t_start": 76 * MS},
        {"t_start": 99 * MS},
        {"problem": "it was gone before the harness could look"},
    ],
    ids=str,
)
def test_a_receipt_of_something_else_is_none(build: Build, changes: dict[str, Any]) -> None:
    run = witnessed_run()
    change_receipt(**changes)(run)
    found = build(run).failures
    assert {failure.gate for failure in found} == {"verifications witnessed"}
    assert "b attempt 1, failed" in found[0].reason


@pytest.mark.parametrize("verifier", ["cold", "null"])
def test_a_verification_that_was_killed_at_once_witnesses_nothing(build: Build, verifier: str) -> None:
    run = witnessed_run()
    change_receipt(problem=GONE)(run)
    (found,) = build(run, replace(CELL, verifier=verifier)).failures
    assert found.gate == "verifications witnessed"
    assert found.reason.startswith("1 verdicts have no receipt")


def test_no_code_where_there_is_code_is_a_verification_left_out(build: Build) -> None:
    run = witnessed_run()
    verify_nothing(run)
    found = build(run).failures
    assert any("no_code where the reply has code, the first: a attempt 1" in each.reason for each in found)


def test_runs_of_version_0_1_0_are_not_asked_what_they_did_not_write_down(build: Build) -> None:
    run = good_run()
    look_away(run)
    change_outcome(agentdyno=None)(run)
    assert build(run).failures == []


def test_a_run_as_the_script_plans_it_passes_every_gate(build: Build) -> None:
    assert build(scripted_run()).failures == []


def test_the_null_verifier_lets_all_code_pass(build: Build) -> None:
    run = scripted_run({(name, 1): "passed" for name in NAMES})
    without_code = [name for name in NAMES if PLAN[name].failure(1) == "no_code"]
    cell = replace(CELL, verifier="null")
    found = build(run, cell).failures
    assert gates(found) == ["outcomes as scripted"] * bool(without_code)


def test_a_real_endpoint_has_no_script(build: Build) -> None:
    run = scripted_run({(RIGHT, 1): "failed"})
    run["journal"][0]["upstream"] = "http://localhost/v1"
    assert build(run).failures == []


def gates(found: list[Failure]) -> list[str]:
    return [failure.gate for failure in found]


def test_a_broken_event_line_is_named_before_the_task_that_it_lost(build: Build) -> None:
    run = good_run()
    break_a_line(run)
    number = run["events"].index(task_of(run, "a")) + 1
    line, lost = build(run).failures
    assert gates([line, lost]) == ["tasks accounted for"] * 2
    assert f"events.jsonl: line {number} (outcome: must be one of " in line.reason
    assert "1 task lost" in lost.reason


def test_the_attempt_that_balances_worst_is_named(build: Build) -> None:
    run = good_run()
    for name, by_ms in (("a", 8), ("c", 3), ("d", 25)):
        say_that_it_was_sent_later(run, name, by_ms)
    (failure,) = build(run).failures
    assert failure.gate == "ledger balances"
    assert "3 attempts" in failure.reason
    assert "d attempt 1, 125.0 ms of 100.0 ms" in failure.reason


def test_another_clock_is_named_before_the_ledger_that_it_upsets(build: Build) -> None:
    run = good_run()
    on_another_clock(run)
    clock, unbalanced = build(run).failures
    assert gates([clock, unbalanced]) == ["journal agrees", "ledger balances"]
    assert clock.reason.startswith("21 attempts ")
    assert clock.reason.endswith(" b attempt 1")
    assert "21 attempts" in unbalanced.reason
    assert "b attempt 1, 1000000099.0 ms of 100.0 ms" in unbalanced.reason


def test_a_reason_of_several_lines_is_printed_as_one() -> None:
    failure = Failure("ended in order", 1, "cannot execute\n  it", "", is_fault=True)
    assert failure.line == "run 1: cannot execute it"
    assert Failure("A/A", None, "differs", "measure again", is_fault=False).line == "differs: measure again"


@pytest.mark.parametrize(
    "change",
    [
        change_outcome(steal_share=0.02, throttled_s=0.1, thermal_throttles=0),
        change_outcome(steal_share=None, throttled_s=None, thermal_throttles=None, swapped_pages=None),
        lambda run: say_that_it_was_sent_later(run, "a", 0.9),  # which is within the millisecond
        lambda run: request_of(run, "a").update(late_us=[25_001] * 10 + [500] * 90),  # of 2,100
        lambda run: run["tasks"].update(dict.fromkeys(NAMES, 0)),
        lambda run: [line.update(t_arrive=line["t_arrive"] + 45 * MS) for line in requests_of(run)],
    ],
)
def test_values_within_the_limits_or_unknown_pass(build: Build, change: Change) -> None:
    run = good_run()
    change(run)
    assert build(run).failures == []


def test_a_long_attempt_may_miss_more_of_its_wall_time(build: Build) -> None:
    run = good_run()
    event = attempt_of(run, "b", 2)
    for phase in ("t_exit", "t_end"):
        event[phase] += 400 * MS
    run["events"][-1]["t"] += 400 * MS
    event["t_request"] = 105 * MS  # 2 ms after it arrived
    run["samples"] += [sample(t * MS, 3072) for t in (300, 500)]
    assert build(run).failures == []


@pytest.mark.parametrize("cell", [replace(CELL, profile="instant"), CELL])
def test_concurrency_is_not_checked_for_instant_replies_or_tasks_with_starts(build: Build, cell: Any) -> None:
    run = good_run()
    change_requests(in_flight=1)(run)
    if cell.profile != "instant":
        run["tasks"] = dict.fromkeys(NAMES, 0)
    assert build(run, cell).failures == []


def test_a_wait_before_the_request_is_overhead_and_no_missing_request(build: Build) -> None:
    run = good_run()
    wait_before_the_wire(run)
    waited, good = build(run, block=1), build(good_run(), block=2)
    assert waited.failures == []
    more = [each.metrics["overhead_ms_p50"] or 0 for each in (waited, good)]
    assert more[0] - more[1] == pytest.approx(54)


@pytest.mark.parametrize(("count", "broken"), [(100, 1), (100, 2)])
def test_a_real_endpoint_may_fail_one_request_in_a_hundred(build: Build, count: int, broken: int) -> None:
    names = (*(f"{number:03}" for number in range(count - 1)), "b")
    run = good_run(names)
    change_requests(in_flight=100)(run)
    end_as_error(run, *names[:broken])
    found = build(run, replace(CELL, agents=100, profile="real:m"))
    assert gates(found.failures) == ["error rate"] * (broken == 2)
    for failure in found.failures:
        assert "errors: 2" in failure.reason
        assert "000, the endpoint answered 401" in failure.reason


def test_a_real_endpoint_may_need_a_second_try(build: Build) -> None:
    run = good_run()
    retry_in_transport(run)
    assert build(run, replace(CELL, profile="real:m")).failures == []


def test_an_interrupted_run_is_checked_only_for_what_it_did(build: Build) -> None:
    run = good_run(NAMES[:3])
    change_outcome(interrupted=True, exit_code=130, problem="interrupted by SIGINT")(run)
    end_as_error(run)
    change_requests(in_flight=3)(run)
    (failure,) = build(run).failures
    assert failure.reason == "interrupted by SIGINT"


def send_the_end_later(run: dict[str, Any]) -> None:
    for line in requests_of(run):
        line.update(served=True, t_finish=line["t_last"], t_last=line["t_last"] + 4 * MS)


def answer_within_a_millisecond(run: dict[str, Any]) -> None:
    for line in requests_of(run):
        t_arrive = line["t_arrive"]
        line.update(served=True, t_finish=t_arrive + MS, t_last=t_arrive + MS)
        attempt_of(run, line["task"], line["attempt"]).update(t_first=t_arrive + MS, t_last=t_arrive + MS)


def leave_after_the_finish_reason(run: dict[str, Any]) -> None:
    send_the_end_later(run)
    for line in requests_of(run):
        line.update(t_gone=line["t_last"] + 1 * MS)


def fail_once(run: dict[str, Any]) -> None:
    attempt_of(run, "a").update(transport_retries=1, transport_ns=1 * MS)
    failed = request("a", arrive_ms=1, t_last=1 * MS, status=503, finish="error", served=False)
    run["journal"].insert(1, failed)


@pytest.mark.parametrize(
    "habit", [send_the_end_later, answer_within_a_millisecond, leave_after_the_finish_reason, fail_once]
)
def test_what_real_servers_do_condemns_no_runtime(build: Build, habit: Change) -> None:
    run = good_run()
    habit(run)
    assert build(run, replace(CELL, profile="real:m")).failures == []


@pytest.mark.parametrize(("profile", "failing"), [("real:m", []), ("chat-7b", ["concurrency reached"])])
def test_a_real_endpoint_may_answer_faster_than_agents_ask(
    build: Build, profile: str, failing: list[str]
) -> None:
    run = good_run()
    change_requests(in_flight=3)(run)
    assert gates(build(run, replace(CELL, profile=profile)).failures) == failing


def test_slow_answers_of_a_real_endpoint_overlap(build: Build) -> None:
    run = good_run()
    change_requests(in_flight=3)(run)
    for event in run["events"]:
        event |= {name: t * 100 for name, t in event.items() if name.startswith("t_") or name == "t"}
    for line in requests_of(run):
        line |= {name: line[name] * 100 for name in ("t_arrive", "t_last")}
    run["samples"] = [sample(t * MS, 3072) for t in range(0, 20_000, 400)]
    (failure,) = build(run, replace(CELL, profile="real:m")).failures
    assert failure.gate == "concurrency reached"


def test_a_failed_request_that_nobody_reports_is_found(build: Build) -> None:
    run = good_run()
    fail_once(run)
    attempt_of(run, "a").update(transport_retries=0, transport_ns=0)
    (failure,) = build(run, replace(CELL, profile="real:m")).failures
    assert failure.gate == "Little's law"
    assert "22 requests, and the events report 21 tries" in failure.reason


def test_what_a_runtime_says_cannot_drive_a_terminal(build: Build) -> None:
    run = good_run()
    change_outcome(exit_code=1, last_stderr_line="\x1b[2J\x1b]0;mine\x07 \u202ereversed\x9b0m")(run)
    end_as_error(run, "a")
    task_of(run, "a")["reason"] = "\x1b[31mred"
    found = build(run)
    reasons = [failure.reason for failure in found.failures] + [task.reason or "" for task in found.tasks]
    assert any("mine" in reason for reason in reasons)
    assert any("red" in reason for reason in reasons)
    for reason in reasons:
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(reason)
