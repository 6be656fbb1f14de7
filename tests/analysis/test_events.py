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
        ('{"event": "task", "ta', "not JSON at column 19"),
        ("[]", "must be an object"),
        ({"task": "t/1"}, "event: is missing"),
        ({"event": "tesk"}, "event: must be one of "),
        (TASK | {"outcome": "ok"}, "outcome: must be one of "),
        (TASK | {"t": 1.5}, "t: must be a whole number, and is 1.5"),
        (TASK | {"t": -1}, "t: must be 0 or more, and is -1"),
        (TASK | {"attempts": True}, "attempts: must be a whole number, and is true"),
        ({name: value for name, value in ATTEMPT.items() if name != "t_queue"}, "t_queue: is missing"),
        (ATTEMPT | {"t_last": "5"}, 't_last: must be a whole number, and is "5"'),
        (ATTEMPT | {"t_end": 10**400}, "t_end: must be a whole number of 63 bits"),
        (json.dumps(ATTEMPT)[:-1] + f', "t_end": {"9" * 6000}}}', "t_end: must be a whole number, and is "),
        (json.dumps(TASK)[:-1] + ', "t": NaN}', "t: must be a whole number, and is NaN"),
        (ATTEMPT | {"t_end": 4}, "t_end: must not be before t_exit"),
        (ATTEMPT | {"t_first": None, "t_last": 4}, "t_last: must not be before t_request"),
        (TASK | {"reason": "\ud800"}, "reason: holds half a surrogate pair"),
        ("[" * 100_000, "not JSON that can be read (too many lists"),
        (ATTEMPT | {"verdict": "fine"}, "verdict: must be one of "),
        (ATTEMPT | {"usage": 3}, "usage: must be an object, and is 3"),
        (ATTEMPT | {"timed_out": 0}, "timed_out: must be true or false, and is 0"),
        (START | {"contract_version": 2}, "contract_version: must be 1, and is 2"),
        ({name: value for name, value in START.items() if name != "pid"}, "pid: is missing"),
    ],
)
def test_a_broken_line_is_named_with_its_number_and_the_others_count(
    tmp_path: Path, line: object, why: str
) -> None:
    events = read(written(tmp_path, START, line, TASK, END))
    (problem,) = events.problems
    assert problem.startswith(f"broken event lines in events.jsonl: line 2 ({why}")
    assert len(events.outcomes) == 1


@pytest.mark.parametrize("event", [ATTEMPT | {"attempt": 5}, TASK | {"attempts": 4611686018427387904}])
def test_more_attempts_than_the_run_allows_break_the_line(tmp_path: Path, event: dict[str, Any]) -> None:
    (problem,) = read(written(tmp_path, START, TASK, event, END), most_attempts=4).problems
    assert "line 3 (attempt" in problem
    assert "must be at most 4" in problem
    assert read(written(tmp_path, START, TASK, event | {"attempt": 4, "attempts": 4}, END), 4).problems == []


def test_what_the_endpoint_said_of_tokens_breaks_no_line(tmp_path: Path) -> None:
    usage = f'{{"prompt_tokens": {"9" * 6000}, "more": 1e999, "\\ud800": null}}'
    line = json.dumps(ATTEMPT).replace('"usage": null', f'"usage": {usage}')
    events = read(written(tmp_path, START, line, TASK, END))
    assert events.problems == []
    assert len(events.attempts) == 1


def test_events_that_are_no_file_are_a_problem_and_no_crash(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").mkdir()
    assert read(tmp_path / "events.jsonl").problems[0] == "events.jsonl cannot be read (Is a directory)"


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
