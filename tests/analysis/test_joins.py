"""Which receipt is of which attempt, where several are equal."""

from typing import Any

from agentdyno.analysis.joins import UNWITNESSED, join
from analysis.conftest import Record
from analysis.synthetic import MS, NAMES, attempt_of, receipt, request_of, witnessed_run


def equal_at_once(spans: list[tuple[int, int]], of_receipts: list[tuple[int, int]]) -> dict[str, Any]:
    """The good run, in which the tests of `c` and `d` take these ms by the runtime, and these by receipts."""
    run = witnessed_run()
    run["receipts"] = []
    for name in set(NAMES) - {"c", "d"}:
        request_of(run, name)["solution_sha256"] = "another"
    for name, (begin, end) in zip("cd", spans, strict=True):
        attempt_of(run, name).update(
            t_spawn=begin * MS, t_started=begin * MS, t_exit=end * MS, t_end=end * MS
        )
    for begin, end in of_receipts:
        run["receipts"].append(receipt(attempt_of(run, "c"), t_start=begin * MS, t_end=end * MS))
    return run


def test_a_receipt_goes_to_no_attempt_that_ended_before_it(record: Record) -> None:
    # The second process began first and ended last. By its begin alone, it would be the first attempt's.
    run = record(equal_at_once([(78, 90), (79, 98)], [(80, 97), (81, 89)]))
    witnessed_by = dict(zip(run.events.attempts.column("task"), join(run).witnessed_by, strict=True))
    assert run.receipts is not None
    assert UNWITNESSED not in (witnessed_by["c"], witnessed_by["d"])
    ends = run.receipts.column("t_end")
    assert (ends[witnessed_by["c"]], ends[witnessed_by["d"]]) == (89 * MS, 97 * MS)
