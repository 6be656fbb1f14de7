import json
from pathlib import Path
from typing import Any

import pytest

from agentdyno.rundata.events import accounting, read

ATTEMPT: dict[str, Any] = {
    "event": "attempt",
    "task": "t/1",
    "attempt": 1,
    **dict.fromkeys(
        ["t_begin", "t_request", "t_first", "t_last", "t_queue", "t_spawn", "t_started", "t_exit", "t_end"], 5
    ),
    "transport_retries": 0,
    "transport_ns": 0,
    "request_sha256": "aa",
    "completion_sha256": "bb",
    "usage": None,
    "exit_code": 0,
    "signal": None,
    "timed_out": False,
    "verdict": "passed",
    "reason": None,
}
TASK: dict[str, Any] = {
    "event": "task",
    "task": "t/1",
    "t": 9,
    "outcome": "passed",
    "attempts": 1,
    "reason": None,
}
START = {"event": "run_start", "t": 1, "contract_version": 1, "pid": 2}
END = {"event": "run_end", "t": 10}


def written(tmp_path: Path, *lines: object) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def test_events_by_the_contract_have_no_problems(tmp_path: Path) -> None:
    events = read(written(tmp_path, START, ATTEMPT, TASK, END))
    assert events.problems == []
    assert (events.t_start, events.t_end) == (1, 10)
    assert [attempt.verdict for attempt in events.attempts] == ["passed"]
    assert [outcome.outcome for outcome in events.outcomes] == ["passed"]
    assert accounting(events, ["t/1"], max_retries=3) == []


def test_a_run_without_an_event_file_says_so(tmp_path: Path) -> None:
    assert read(tmp_path / "events.jsonl").problems == ["the runtime wrote no events"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"event": "task", "ta', "Unterminated string starting at: line 1 column 19 (char 18)"),
        ("[]", "not an object"),
        ({"task": "t/1"}, "no field 'event'"),
        ({"event": "tesk"}, "unknown event 'tesk'"),
        (TASK | {"outcome": "ok"}, "`outcome` is 'ok'"),
        (TASK | {"t": 1.5}, "`t` is not a non-negative integer of 63 bits"),
        (TASK | {"attempts": True}, "`attempts` is not a non-negative integer of 63 bits"),
        ({name: value for name, value in ATTEMPT.items() if name != "t_queue"}, "no field 't_queue'"),
        (ATTEMPT | {"t_last": "5"}, "`t_last` is not a non-negative integer of 63 bits"),
        (ATTEMPT | {"t_end": 10**400}, "`t_end` is not a non-negative integer of 63 bits"),
        (ATTEMPT | {"t_end": 4}, "`t_end` is before `t_exit`"),
        (ATTEMPT | {"t_first": None, "t_last": 4}, "`t_last` is before `t_request`"),
        (
            TASK | {"reason": "\ud800"},
            "'utf-8' codec can't encode character '\\ud800' in position 0: surrogates not allowed",
        ),
        (
            "[" * 100_000,
            "maximum recursion depth exceeded while decoding a JSON array from a unicode string",
        ),
        (ATTEMPT | {"verdict": "fine"}, "`verdict` is 'fine'"),
        (ATTEMPT | {"usage": 3}, "`usage` is not an object"),
        (ATTEMPT | {"timed_out": 0}, "`timed_out` is neither true nor false"),
        (START | {"contract_version": 2}, "`contract_version` is 2"),
        ({name: value for name, value in START.items() if name != "pid"}, "no field 'pid'"),
    ],
)
def test_a_broken_line_is_named_with_its_number_and_the_others_count(
    tmp_path: Path, line: object, why: str
) -> None:
    events = read(written(tmp_path, START, line, TASK, END))
    assert events.problems == [f"broken event lines in events.jsonl: line 2 ({why})"]
    assert len(events.outcomes) == 1


def test_a_run_cut_short_is_told_from_a_whole_one(tmp_path: Path) -> None:
    assert read(written(tmp_path, START, TASK)).problems == ["no run_end event: the run is cut short"]


def test_an_attempt_lies_within_the_run(tmp_path: Path) -> None:
    events = read(written(tmp_path, START | {"t": 6}, ATTEMPT, ATTEMPT | {"attempt": 2, "t_end": 11}, END))
    assert events.problems == [
        "attempts outside the time from run_start to run_end: t/1 attempt 1, t/1 attempt 2"
    ]


def test_every_task_has_exactly_one_outcome(tmp_path: Path) -> None:
    lines = [
        START,
        ATTEMPT,
        TASK,
        TASK,
        TASK | {"task": "t/9", "attempts": 0, "outcome": "error", "reason": "interrupted"},
        END,
    ]
    events = read(written(tmp_path, *lines))
    assert accounting(events, ["t/1", "t/2", "t/3"], max_retries=3) == [
        "2 tasks lost, without any outcome: t/2, t/3",
        "1 task with more than one outcome: t/1",
        "1 task not in the tasks file: t/9",
    ]


@pytest.mark.parametrize(
    ("verdicts", "outcome", "follows"),
    [
        (["passed"], "passed", True),
        (["failed", "no_code", "passed"], "passed", True),
        (["failed", "timed_out", "unproven", "no_summary"], "failed", True),
        (["failed", "error"], "error", True),
        (["failed", "interrupted"], "error", True),
        (["failed"], "passed", False),
        (["passed", "passed"], "passed", False),
        (["failed", "failed"], "failed", False),  # two attempts are left
        (["failed"], "error", False),
        ([], "passed", False),
    ],
)
def test_an_outcome_follows_from_its_attempts(
    tmp_path: Path, verdicts: list[str], outcome: str, follows: bool
) -> None:
    attempts = [
        ATTEMPT | {"attempt": number, "verdict": verdict} for number, verdict in enumerate(verdicts, start=1)
    ]
    task = TASK | {"outcome": outcome, "attempts": len(verdicts)}
    events = read(written(tmp_path, START, *attempts, task, END))
    problem = ["1 task whose outcome does not follow from the attempts: t/1"]
    assert accounting(events, ["t/1"], max_retries=3) == ([] if follows else problem)


@pytest.mark.parametrize("attempts", [0, 2, 50_000_000, 2**62])
def test_a_number_of_attempts_that_there_were_not_is_a_contradiction(tmp_path: Path, attempts: int) -> None:
    events = read(written(tmp_path, START, ATTEMPT, TASK | {"attempts": attempts}, END))
    (problem,) = accounting(events, ["t/1"], max_retries=3)
    assert problem == "1 task whose outcome does not follow from the attempts: t/1"
