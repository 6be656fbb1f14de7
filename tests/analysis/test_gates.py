"""Each gate failing for its own reason, and for nothing else."""

from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from agentdyno.analysis.gate import Failure
from agentdyno.analysis.gates import GATES
from analysis.conftest import Build
from analysis.synthetic import (
    CELL,
    MS,
    NAMES,
    Change,
    attempt_of,
    change_outcome,
    change_requests,
    good_run,
    request,
    request_of,
    requests_of,
    task_of,
)


class Case(NamedTuple):
    gate: str
    change: Change
    reason: str
    remedy: str
    run: dict[str, Any]


def case(gate: str, change: Change, reason: str, remedy: str, run: dict[str, Any] | None = None) -> Case:
    return Case(gate, change, reason, remedy, run or good_run())


def lose_a_task(run: dict[str, Any]) -> None:
    run["events"].remove(task_of(run, "a"))


def break_a_line(run: dict[str, Any]) -> None:
    task_of(run, "a")["outcome"] = "fine"


def hash_something_else(run: dict[str, Any]) -> None:
    attempt_of(run, "a")["request_sha256"] = "other"


def on_another_clock(run: dict[str, Any]) -> None:
    for event in run["events"]:
        event |= {name: t + 10**15 for name, t in event.items() if name.startswith("t_") or name == "t"}


def understand_too_soon(run: dict[str, Any]) -> None:
    request_of(run, "a")["t_last"] = 73 * MS


def end_as_error(run: dict[str, Any], *names: str) -> None:
    for name in names or "a":
        attempt_of(run, name).update(verdict="error", completion_sha256=None)
        task_of(run, name).update(outcome="error", reason="the endpoint answered 401")


def retry_in_transport(run: dict[str, Any]) -> None:
    attempt_of(run, "b")["transport_retries"] = 2


def begin_early(run: dict[str, Any]) -> None:
    run["tasks"] |= {"c": 5 * MS, "d": 1}


def ask_more_than_is_told(run: dict[str, Any]) -> None:
    run["journal"][-1:-1] = [request("a", request_sha256=f"another-{number}") for number in range(20)]


def wait_before_the_wire(run: dict[str, Any]) -> None:
    for line in requests_of(run):
        line["t_arrive"] += 54 * MS


def be_late_now_and_then(run: dict[str, Any]) -> None:
    request_of(run, "a")["late_us"] = [25_001] * 15 + [500] * 85  # of 2,100


LOOK = "see runtime.stderr in the run's folder"
EVENTS = "see events.jsonl in the run's folder and CONTRACT.md"
HASH = (
    "hash the body that is sent, as canonical JSON, and take times of CLOCK_MONOTONIC; "
    "see endpoint.stderr if the journal is cut short"
)
LITTLE = "tell of every request that is made, in the event of its attempt"
LATE = "lower --verify-slots or --agents, or give it a free core"
THEIRS = "measure on a machine, or at an hour, with processors of its own"

CASES = [
    case("ended in order", change_outcome(exit_code=-11), "the runtime ended with signal 11", LOOK),
    case(
        "ended in order",
        change_outcome(exit_code=2, last_stderr_line="run.json: no field agents"),
        "the runtime ended with status 2: run.json: no field agents",
        LOOK,
    ),
    case(
        "ended in order",
        change_outcome(exit_code=-9, problem="the runtime hangs: no event and no open request for 1 s"),
        "the runtime hangs: no event and no open request for 1 s",
        LOOK,
    ),
    case(
        "ended in order",
        change_outcome(survivors=2),
        "processes that outlived the runtime and were killed: 2",
        LOOK,
    ),
    case(
        "ended in order",
        change_outcome(workspaces_left=1),
        "workspaces that were left behind and removed: 1",
        LOOK,
    ),
    case("tasks accounted for", lose_a_task, "1 task lost, without any outcome: a", EVENTS),
    case(
        "journal agrees",
        lambda run: run["journal"].pop(),
        "the endpoint did not end in order, so its journal may lack requests",
        HASH,
    ),
    case(
        "journal agrees",
        hash_something_else,
        "1 completions reported that the endpoint did not serve to a request of that task, attempt and "
        "request_sha256, the first: a attempt 1",
        HASH,
    ),
    case(
        "ledger balances",
        understand_too_soon,
        "the parts of 1 attempts do not sum to their wall time, the worst: a attempt 1, 108.0 ms of 100.0 ms",
        "a time was taken before or after what it stands for; compare the attempt's lines in events.jsonl "
        "and journal.jsonl",
    ),
    case(
        "error rate",
        end_as_error,
        "tasks that ended as errors: 1, the first: a, the endpoint answered 401",
        "the reason of each is in tasks.csv",
    ),
    case(
        "asked once",
        retry_in_transport,
        "2 requests were made again though the endpoint had not failed, the first for b attempt 1",
        "see its lines in journal.jsonl and events.jsonl",
    ),
    case(
        "begun on schedule",
        begin_early,
        "2 tasks were begun before their start, the first: c",
        "wait for start_after_ns of the tasks file, as in CONTRACT.md",
    ),
    case(
        "concurrency reached",
        change_requests(in_flight=19),
        "the endpoint saw 19 requests at once where 20 agents should have had one each",
        "the runtime caps its connections, or the profile answers too soon",
    ),
    case(
        "Little's law",
        ask_more_than_is_told,
        "Little's law: the 105.00 completions/s that the runtime's events tell of, 0.060 s each, are 6.3 at "
        "once, and the endpoint had 12.3 open on average",
        LITTLE,
    ),
    case(
        "endpoint on time",
        change_requests(late_us=[10_500] * 100),
        "the endpoint was late, p99 10.5 ms (limit 10 ms)",
        LATE,
    ),
    case(
        "endpoint on time",
        be_late_now_and_then,
        "0.7% of the endpoint's chunks were more than 25 ms late (limit 0.5%)",
        LATE,
    ),
    case(
        "enough samples",
        lambda run: None,
        "19 attempts with a ledger are too few to tell a tail (at least 20)",
        "raise --limit",
        good_run(NAMES[:18]),
    ),
    case(
        "no swap",
        change_outcome(swapped_pages=3),
        "the machine swapped 3 pages meanwhile",
        "free memory, or `swapoff -a` while measuring",
    ),
    case(
        "no throttling or steal",
        change_outcome(steal_share=0.031),
        "the hypervisor took 3.1% of the processor time (limit 2%)",
        THEIRS,
    ),
    case(
        "no throttling or steal",
        change_outcome(throttled_s=1.26),
        "a quota of the control group held the processes back for 1.3 s",
        THEIRS,
    ),
    case(
        "no throttling or steal",
        change_outcome(thermal_throttles=7),
        "the processors throttled 7 times because of heat",
        THEIRS,
    ),
]
MACHINES_DOING = {"endpoint on time", "enough samples", "no swap", "no throttling or steal"}


@pytest.mark.parametrize("case", CASES, ids=[f"{case.gate}: {case.reason[:40]}" for case in CASES])
def test_it_fails_for_its_own_reason_and_no_other_does(build: Build, case: Case) -> None:
    case.change(case.run)
    found = build(case.run, block=3)
    is_fault = case.gate not in MACHINES_DOING
    assert found.failures == [Failure(case.gate, 3, case.reason, case.remedy, is_fault)]
    assert found.failures[0].line == f"run 3: {case.reason}: {case.remedy}"
    assert found.is_sound is not is_fault


def test_each_gate_has_been_seen_to_fail() -> None:
    assert {case.gate for case in CASES} == {gate.name for gate in GATES}


def test_nothing_stands_against_a_good_run(build: Build) -> None:
    assert build(good_run()).failures == []


def reasons(found: list[Failure]) -> list[str]:
    return [failure.reason for failure in found]


def test_a_broken_event_line_is_named_before_the_task_that_it_lost(build: Build) -> None:
    run = good_run()
    break_a_line(run)
    number = run["events"].index(task_of(run, "a")) + 1
    assert reasons(build(run).failures) == [
        f"broken event lines in events.jsonl: line {number} (`outcome` is 'fine')",
        "1 task lost, without any outcome: a",
    ]


def test_the_attempt_that_balances_worst_is_named(build: Build) -> None:
    run = good_run()
    understand_too_soon(run)
    request_of(run, "c")["t_last"] = 68 * MS
    request_of(run, "d")["t_last"] = 90 * MS
    assert reasons(build(run).failures) == [
        "the parts of 3 attempts do not sum to their wall time, the worst: d attempt 1, 125.0 ms of 100.0 ms"
    ]


def test_another_clock_is_named_before_the_ledger_that_it_upsets(build: Build) -> None:
    run = good_run()
    on_another_clock(run)
    assert reasons(build(run).failures) == [
        "21 attempts whose request the endpoint got at another time, the first: b attempt 1",
        "the parts of 21 attempts do not sum to their wall time, the worst: b attempt 1, "
        "1000000099.0 ms of 100.0 ms",
    ]


def test_a_reason_of_several_lines_is_printed_as_one() -> None:
    failure = Failure("ended in order", 1, "cannot execute\n  it", "", is_fault=True)
    assert failure.line == "run 1: cannot execute it"
    assert Failure("A/A", None, "differs", "measure again", is_fault=False).line == "differs: measure again"


@pytest.mark.parametrize(
    "change",
    [
        change_outcome(steal_share=0.02, throttled_s=0.1, thermal_throttles=0),
        change_outcome(steal_share=None, throttled_s=None, thermal_throttles=None, swapped_pages=None),
        lambda run: request_of(run, "a").update(t_last=65.9 * MS),  # 0.9 ms are within the millisecond
        lambda run: request_of(run, "a").update(late_us=[25_001] * 10 + [500] * 90),  # of 2,100
        lambda run: run["tasks"].update(dict.fromkeys(NAMES, 0)),
        lambda run: [line.update(t_arrive=line["t_arrive"] + 45 * MS) for line in requests_of(run)],
    ],
)
def test_what_is_within_the_limits_or_not_told_is_passed_over(build: Build, change: Change) -> None:
    run = good_run()
    change(run)
    assert build(run).failures == []


def test_a_long_attempt_may_miss_more_of_its_wall_time(build: Build) -> None:
    run = good_run()
    event = attempt_of(run, "b", 2)
    for phase in ("t_exit", "t_end"):
        event[phase] += 400 * MS
    run["events"][-1]["t"] += 400 * MS
    request_of(run, "b", 2)["t_last"] = 167 * MS  # 2 ms after its end was understood
    assert build(run).failures == []


@pytest.mark.parametrize("cell", [replace(CELL, profile="instant"), CELL])
def test_concurrency_is_not_asked_of_instant_replies_or_of_tasks_with_starts(build: Build, cell: Any) -> None:
    run = good_run()
    change_requests(in_flight=1)(run)
    if cell.profile != "instant":
        run["tasks"] = dict.fromkeys(NAMES, 0)
    assert build(run, cell).failures == []


def test_a_wait_before_the_wire_is_overhead_and_no_request_too_few(build: Build) -> None:
    run = good_run()
    wait_before_the_wire(run)
    waited, good = build(run, block=1), build(good_run(), block=2)
    assert waited.failures == []
    more = [each.metrics["overhead_ms_p50"] or 0 for each in (waited, good)]
    assert more[0] - more[1] == pytest.approx(54)


@pytest.mark.parametrize(("count", "broken"), [(100, 1), (100, 2)])
def test_a_real_endpoint_may_refuse_one_in_a_hundred(build: Build, count: int, broken: int) -> None:
    names = (*(f"{number:03}" for number in range(count - 1)), "b")
    run = good_run(names)
    change_requests(in_flight=100)(run)
    end_as_error(run, *names[:broken])
    found = build(run, replace(CELL, agents=100, profile="real:m"))
    expected = "tasks that ended as errors: 2, the first: 000, the endpoint answered 401"
    assert reasons(found.failures) == [expected] * (broken == 2)


def test_a_real_endpoint_may_need_a_second_try(build: Build) -> None:
    run = good_run()
    retry_in_transport(run)
    assert build(run, replace(CELL, profile="real:m")).failures == []


def test_an_interrupted_run_is_held_to_what_was_done(build: Build) -> None:
    run = good_run(NAMES[:3])
    change_outcome(interrupted=True, exit_code=130, problem="interrupted by SIGINT")(run)
    end_as_error(run)
    change_requests(in_flight=3)(run)
    assert reasons(build(run).failures) == ["interrupted by SIGINT"]
