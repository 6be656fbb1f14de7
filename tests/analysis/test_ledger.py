"""Where an attempt's wall time went, checked by hand."""

from dataclasses import replace
from typing import Any

import pytest

from agentdyno.analysis.ledger import PARTS, Entry, Parts, entries
from agentdyno.analysis.metrics import task_rows
from analysis.conftest import Build, Record
from analysis.synthetic import (
    CELL,
    MS,
    NAMES,
    attempt,
    attempt_of,
    good_run,
    request,
    request_of,
    task,
    task_of,
    witnessed_run,
)

WHOLE = Parts(
    begin=0.0,
    prompt=2.0,
    transport=0.0,
    send=1.0,
    model=60.0,
    stream=2.0,
    extract=2.0,
    queue=10.0,
    spawn=1.0,
    verify=20.0,
    bookkeeping=2.0,
)


def first_of(record: Record, run: dict[str, Any]) -> Entry:
    """The ledger of the first attempt at `b`."""
    found = entries(record(run))[0]
    assert (found.task, found.attempt) == ("b", 1)
    return found


def test_the_parts_come_in_the_order_of_time() -> None:
    assert PARTS == (
        "begin", "prompt", "transport", "send", "model", "stream", "extract", "queue", "spawn", "verify",
        "bookkeeping",
    )  # fmt: skip


def test_every_part_is_read_off_and_they_sum_to_the_wall_time(record: Record) -> None:
    found = entries(record(good_run()))
    assert len(found) == 21
    assert {entry.parts for entry in found} == {WHOLE}
    assert {(entry.wall, entry.overhead, entry.imbalance) for entry in found} == {(100.0, 10.0, 0.0)}
    assert found[0].verdict == "failed"


def test_an_agent_that_begins_late_has_it_as_a_part(record: Record) -> None:
    run = good_run()
    attempt_of(run, "b")["t_begin"] = MS // 2
    found = first_of(record, run)
    assert (found.parts.begin, found.parts.prompt) == (0.5, 1.5)
    assert found.overhead == pytest.approx(10.0)


@pytest.mark.parametrize(("version", "wall", "begin"), [("0.2.0", 100.0, 1.0), (None, 99.0, 0.0)])
def test_a_retry_is_due_when_the_attempt_before_it_has_ended(
    record: Record, version: str | None, wall: float, begin: float
) -> None:
    run = good_run()
    run["outcome"]["agentdyno"] = version  # version 0.1.0 counted from when a retry began
    attempt_of(run, "b", 2)["t_begin"] = 101 * MS
    later = entries(record(run))[1]
    assert (later.attempt, later.wall, later.parts.begin, later.parts.prompt) == (2, wall, begin, 1.0)


def test_an_agents_next_task_is_due_when_the_agent_is_free(record: Record) -> None:
    run = good_run(("a", "b", "c"))
    run["events"] = [event for event in run["events"] if event.get("task") != "c"]
    run["events"][-1:-1] = [attempt("c", begin_ms=103), task("c", t_ms=203)]
    run["journal"] = [line for line in run["journal"] if line.get("task") != "c"]
    run["journal"][-1:-1] = [request("c", arrive_ms=106)]
    run["events"][-1]["t"] = 203 * MS
    # `a` ends at 100, and its agent takes `c` at 103.
    (found,) = [entry for entry in entries(record(run, replace(CELL, agents=2))) if entry.task == "c"]
    assert (found.wall, found.parts.begin) == (103.0, 3.0)


@pytest.mark.parametrize(("slots", "queue"), [(1, 10.0), (18, 10.0), (19, 0.0)])
def test_the_wait_for_a_slot_while_one_is_free_is_overhead(record: Record, slots: int, queue: float) -> None:
    run = good_run()
    run["run_file"] = {"verify": {"slots": slots}}
    for name in NAMES[2:]:  # All but `a` and `b` have their slots from 60 to 98.
        attempt_of(run, name).update(t_first=20 * MS, t_last=21 * MS, t_queue=22 * MS, t_spawn=60 * MS)
        request_of(run, name)["t_last"] = 19 * MS
    parts = first_of(record, run).parts
    assert (parts.queue, parts.spawn) == (queue, 11.0 - queue)


def test_a_receipt_tells_when_the_tests_ran(record: Record) -> None:
    found = first_of(record, witnessed_run())
    # From 79 to 97, where the runtime says from 78 to 98. Until 77 both slots are free.
    assert (found.parts.queue, found.parts.spawn) == (0.0, 12.0)
    assert (found.parts.verify, found.parts.bookkeeping) == (18.0, 3.0)
    assert (found.parts.total, found.overhead) == (100.0, 22.0)


def test_a_receipt_of_killed_tests_tells_when_they_were_gone(record: Record) -> None:
    run = witnessed_run()
    run["receipts"][0].update(t_end=None, exit_code=None, signal=None, t_closed=90 * MS)
    attempt_of(run, "b").update(verdict="timed_out", exit_code=None, signal=9, timed_out=True)
    found = first_of(record, run)
    assert (found.parts.verify, found.parts.bookkeeping) == (11.0, 10.0)


def test_the_wait_for_a_free_agent_is_the_users_and_not_the_runtimes(record: Record) -> None:
    run = good_run(("a", "b"))
    run["tasks"] = {"a": 0, "b": 50 * MS}
    attempt_of(run, "a")["t_begin"] = 1 * MS
    run["events"] = [event for event in run["events"] if event.get("task") != "b"]
    run["events"][-1:-1] = [attempt("b", begin_ms=103), task("b", t_ms=203)]
    run["events"][-1]["t"] = 203 * MS
    run["journal"] = [request("a"), request("b", arrive_ms=106)]
    alone = record(run, replace(CELL, agents=1))
    found = entries(alone)
    # `b` was to begin at 50, and the only agent was free at 100.
    assert [(entry.task, entry.wall, entry.parts.begin) for entry in found] == [
        ("a", 100.0, 1.0),
        ("b", 103.0, 3.0),
    ]
    assert [(row.task, row.wall_ms, row.begin_ms) for row in task_rows(alone, found)] == [
        ("a", 100.0, 1.0),
        ("b", 153.0, 53.0),
    ]


def test_what_a_real_model_sends_after_the_end_is_no_part_of_it(record: Record) -> None:
    run = good_run()
    request_of(run, "b")["t_last"] = 70 * MS
    parts = entries(record(run, replace(CELL, profile="real:m")))[0].parts
    assert (parts.model, parts.stream, parts.total) == (62.0, 0.0, 100.0)


@pytest.mark.parametrize(
    ("end_ms", "tail_ms"),
    [(64, 0), (66, 1), (67, 2), (300, 2)],
    ids=["before the runtime had the finish reason", "waited for", "to the end", "left early"],
)
def test_the_end_of_the_stream_after_the_finish_reason_is_the_endpoints(
    record: Record, end_ms: int, tail_ms: int
) -> None:
    run = good_run()
    # The runtime has the finish reason at 65 and asks for a slot at 67.
    request_of(run, "b").update(t_finish=63 * MS, t_last=end_ms * MS, served=True)
    found = first_of(record, run)
    assert (found.parts.model, found.parts.stream) == (60.0 + tail_ms, 2.0)
    assert found.parts.extract == 2.0 - tail_ms
    assert (found.parts.total, found.overhead) == (100.0, 10.0 - tail_ms)


@pytest.mark.parametrize(
    ("gone_ms", "tail_ms"), [(66, 1), (67, 2), (300, 2)], ids=["left", "left to go on", "closed it later"]
)
def test_the_wait_for_an_end_that_never_came_is_the_endpoints(
    record: Record, gone_ms: int, tail_ms: int
) -> None:
    run = good_run()
    # Nothing left after the finish reason, which the runtime has at 65; it asks for a slot at 67.
    request_of(run, "b").update(t_finish=63 * MS, t_last=63 * MS, t_gone=gone_ms * MS, served=True)
    found = first_of(record, run)
    assert (found.parts.model, found.parts.stream) == (60.0 + tail_ms, 2.0)
    assert (found.parts.total, found.overhead) == (100.0, 10.0 - tail_ms)


def test_the_end_of_a_stream_without_code_is_the_endpoints_too(record: Record) -> None:
    run = good_run()
    attempt_of(run, "b").update(dict.fromkeys(("t_queue", "t_spawn", "t_started", "t_exit")))
    attempt_of(run, "b")["verdict"] = "no_code"
    request_of(run, "b").update(t_finish=63 * MS, t_last=75 * MS, served=True)
    parts = first_of(record, run).parts
    assert (parts.model, parts.bookkeeping, parts.total) == (70.0, 25.0, 100.0)


def test_without_a_verification_all_that_follows_the_reply_is_bookkeeping(record: Record) -> None:
    run = good_run()
    attempt_of(run, "b").update(dict.fromkeys(("t_queue", "t_spawn", "t_started", "t_exit")))
    attempt_of(run, "b")["verdict"] = "no_code"
    parts = first_of(record, run).parts
    assert (parts.extract, parts.queue, parts.spawn, parts.verify) == (0.0, 0.0, 0.0, 0.0)
    assert parts.bookkeeping == 35.0
    assert parts.total == 100.0


AFTER_THE_REPLY = ("t_queue", "t_spawn", "t_started", "t_exit")


@pytest.mark.parametrize(
    ("reached", "parts"),
    [
        (1, {"extract": 2.0, "queue": 33.0}),
        (2, {"extract": 2.0, "queue": 10.0, "spawn": 23.0}),
        (3, {"extract": 2.0, "queue": 10.0, "spawn": 1.0, "verify": 22.0}),
    ],
    ids=["in the queue", "at the start of the test process", "under test"],
)
def test_an_interrupted_attempt_was_in_the_part_that_it_had_reached(
    record: Record, build: Build, reached: int, parts: dict[str, float]
) -> None:
    run = good_run()
    attempt_of(run, "c").update(dict.fromkeys(AFTER_THE_REPLY[reached:]) | {"verdict": "interrupted"})
    task_of(run, "c").update(outcome="error", reason="interrupted")
    run["outcome"].update(interrupted=True)
    (found,) = [entry for entry in entries(record(run)) if entry.task == "c"]
    after = dict.fromkeys(("extract", "queue", "spawn", "verify", "bookkeeping"), 0.0) | parts
    assert found.parts == WHOLE._replace(**after)
    assert found.imbalance == 0.0
    assert [failure.gate for failure in build(run, block=2).failures] == []


def test_a_failed_try_is_no_part_of_the_overhead(record: Record) -> None:
    run = good_run()
    attempt_of(run, "b").update(transport_retries=1, transport_ns=MS)
    found = first_of(record, run)
    assert (found.parts.prompt, found.parts.transport) == (1.0, 1.0)
    assert (found.parts.total, found.overhead) == (100.0, 9.0)


def test_what_no_part_accounts_for_is_overhead_as_well(record: Record) -> None:
    run = good_run()
    request_of(run, "b").update(t_arrive=1 * MS, t_last=61 * MS)  # before it was sent, and so no `send`
    found = first_of(record, run)
    assert (found.parts.send, found.parts.model, found.parts.stream) == (0.0, 60.0, 4.0)
    assert (found.parts.total, found.imbalance, found.overhead) == (101.0, 1.0, 10.0)


def test_an_attempt_that_the_endpoint_did_not_answer_in_full_has_no_ledger(record: Record) -> None:
    run = good_run()
    request_of(run, "b")["finish"] = "client_gone"  # as journals of version 0.1.0 have it
    assert ("b", 1) not in {(entry.task, entry.attempt) for entry in entries(record(run))}


def test_who_leaves_after_the_finish_reason_has_a_ledger(record: Record) -> None:
    run = good_run()
    request_of(run, "b").update(finish="stop", served=True, t_finish=63 * MS, t_last=64 * MS, t_gone=66 * MS)
    request_of(run, "a").update(finish="client_gone", served=False, t_finish=None, t_gone=50 * MS)
    found = {(entry.task, entry.attempt) for entry in entries(record(run))}
    assert ("b", 1) in found
    assert ("a", 1) not in found
