"""Reads and validates the events that a runtime reported (CONTRACT.md, Events)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from agentdyno.project import CONTRACT_VERSION
from agentdyno.rundata.columns import Columns, Pool, Sha256

SHOWN = 3
"""How many examples a problem names; it counts the rest."""

VERDICTS = frozenset(
    ("passed", "failed", "unproven", "no_summary", "timed_out", "no_code", "error", "interrupted")
)
PHASES = (
    "t_begin",
    "t_request",
    "t_first",
    "t_last",
    "t_queue",
    "t_spawn",
    "t_started",
    "t_exit",
    "t_end",
)
"""An attempt's times in chronological order."""

OUTCOMES = frozenset(("passed", "failed", "error"))


class Attempt(NamedTuple):
    """One attempt event; times are CLOCK_MONOTONIC in ns, None for a phase that did not occur."""

    task: str
    attempt: int
    t_begin: int
    t_request: int | None
    t_first: int | None
    t_last: int | None
    t_queue: int | None
    t_spawn: int | None
    t_started: int | None
    t_exit: int | None
    t_end: int
    transport_retries: int
    transport_ns: int
    request_sha256: Sha256 | None
    completion_sha256: Sha256 | None
    usage: dict[str, Any] | None
    exit_code: int | None
    signal: int | None
    timed_out: bool
    verdict: str
    reason: str | None


class TaskOutcome(NamedTuple):
    """One task event."""

    task: str
    t: int
    outcome: str
    attempts: int
    reason: str | None


@dataclass(slots=True)
class RunEvents:
    """All events of one run, and their problems, one sentence each."""

    t_start: int | None = None
    t_end: int | None = None
    attempts: Columns[Attempt] = field(default_factory=lambda: Columns(Attempt))
    outcomes: Columns[TaskOutcome] = field(default_factory=lambda: Columns(TaskOutcome))
    problems: list[str] = field(default_factory=list)


def read(path: Path, pool: Pool | None = None) -> RunEvents:
    """Read an event file; invalid lines become problems, and the other lines still count."""
    events = RunEvents(attempts=Columns(Attempt, pool=pool), outcomes=Columns(TaskOutcome, pool=pool))
    broken: list[str] = []
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not (text := line.removesuffix(b"\n")):
                    continue
                try:
                    _take(json.loads(text), events)
                except (ValueError, TypeError, KeyError, RecursionError) as error:
                    why = f"no field {error}" if isinstance(error, KeyError) else str(error)
                    broken.append(f"line {number} ({why})")
    except FileNotFoundError:
        events.problems.append("the runtime wrote no events")
        return events
    if broken:
        events.problems.append(f"broken event lines in {path.name}: {_some(broken)}")
    if events.t_start is None:
        events.problems.append("no run_start event")
    if events.t_end is None:
        events.problems.append("no run_end event: the run is cut short")
    if events.t_start is not None and events.t_end is not None:
        outside = [
            f"{task} attempt {number}"
            for task, number, begin, end in events.attempts.of("task", "attempt", "t_begin", "t_end")
            if begin < events.t_start or end > events.t_end
        ]
        if outside:
            events.problems.append(f"attempts outside the time from run_start to run_end: {_some(outside)}")
    return events


def _take(line: Any, events: RunEvents) -> None:
    """Add one event; raises ValueError, TypeError or KeyError when the event breaks the contract."""
    if not isinstance(line, dict):
        raise TypeError("not an object")
    match line["event"]:
        case "run_start":
            if _integer(line, "contract_version") != CONTRACT_VERSION:
                raise ValueError(f"`contract_version` is {line['contract_version']}")
            _integer(line, "pid")
            events.t_start = _integer(line, "t")
        case "run_end":
            events.t_end = _integer(line, "t")
        case "attempt":
            events.attempts.append(_attempt(line))
        case "task":
            events.outcomes.append(
                TaskOutcome(
                    task=_text(line, "task"),
                    t=_integer(line, "t"),
                    outcome=_one_of(line, "outcome", OUTCOMES),
                    attempts=_integer(line, "attempts"),
                    reason=_optional_text(line, "reason"),
                )
            )
        case other:
            raise ValueError(f"unknown event {other!r}")


def _attempt(line: dict[str, Any]) -> Attempt:
    usage = line["usage"]
    if usage is not None and not isinstance(usage, dict):
        raise TypeError("`usage` is not an object")
    times = [(name, time) for name in PHASES if (time := _optional_integer(line, name)) is not None]
    for (earlier, before), (later, after) in pairwise(times):
        if after < before:
            raise ValueError(f"`{later}` is before `{earlier}`")
    return Attempt(
        task=_text(line, "task"),
        attempt=_integer(line, "attempt"),
        t_begin=_integer(line, "t_begin"),
        t_request=_optional_integer(line, "t_request"),
        t_first=_optional_integer(line, "t_first"),
        t_last=_optional_integer(line, "t_last"),
        t_queue=_optional_integer(line, "t_queue"),
        t_spawn=_optional_integer(line, "t_spawn"),
        t_started=_optional_integer(line, "t_started"),
        t_exit=_optional_integer(line, "t_exit"),
        t_end=_integer(line, "t_end"),
        transport_retries=_integer(line, "transport_retries"),
        transport_ns=_integer(line, "transport_ns"),
        request_sha256=_optional_text(line, "request_sha256"),
        completion_sha256=_optional_text(line, "completion_sha256"),
        usage=usage,
        exit_code=_optional_integer(line, "exit_code"),
        signal=_optional_integer(line, "signal"),
        timed_out=_flag(line, "timed_out"),
        verdict=_one_of(line, "verdict", VERDICTS),
        reason=_optional_text(line, "reason"),
    )


def _integer(line: dict[str, Any], name: str) -> int:
    value = line[name]
    if type(value) is not int or not 0 <= value < 2**63:
        raise TypeError(f"`{name}` is not a non-negative integer of 63 bits")
    return value


def _optional_integer(line: dict[str, Any], name: str) -> int | None:
    return None if line[name] is None else _integer(line, name)


def _flag(line: dict[str, Any], name: str) -> bool:
    value = line[name]
    if not isinstance(value, bool):
        raise TypeError(f"`{name}` is neither true nor false")
    return value


def _text(line: dict[str, Any], name: str) -> str:
    value = line[name]
    if not isinstance(value, str):
        raise TypeError(f"`{name}` is not a string")
    value.encode()  # a lone surrogate cannot be written to a result file
    return value


def _optional_text(line: dict[str, Any], name: str) -> str | None:
    return None if line[name] is None else _text(line, name)


def _one_of(line: dict[str, Any], name: str, allowed: frozenset[str]) -> str:
    value = _text(line, name)
    if value not in allowed:
        raise ValueError(f"`{name}` is {value!r}")
    return value


def accounting(events: RunEvents, task_ids: Sequence[str], max_retries: int) -> list[str]:
    """The problems with the outcomes: each task must have one, and the task's attempts must lead to it."""
    problems: list[str] = []
    expected = set(task_ids)
    seen: dict[str, int] = {}
    for outcome in events.outcomes:
        seen[outcome.task] = seen.get(outcome.task, 0) + 1
    _report(problems, "lost, without any outcome", [task for task in task_ids if task not in seen])
    _report(problems, "with more than one outcome", [task for task, count in seen.items() if count > 1])
    _report(problems, "not in the tasks file", [task for task in seen if task not in expected])

    attempts: dict[str, list[Made]] = {}
    kinds: dict[Made, Made] = {}
    for task, number, verdict in events.attempts.of("task", "attempt", "verdict"):
        attempts.setdefault(task, []).append(kinds.setdefault((number, verdict), (number, verdict)))
    contradicted = [
        outcome.task
        for outcome in events.outcomes
        if not _leads_to(attempts.get(outcome.task, []), outcome, max_retries)
    ]
    _report(problems, "whose outcome does not follow from the attempts", contradicted)
    return problems


Made = tuple[int, str]
"""The number and the verdict of an attempt."""


def _leads_to(attempts: list[Made], outcome: TaskOutcome, max_retries: int) -> bool:
    """Whether these attempts, in order, are those of a task with this outcome."""
    if len(attempts) != outcome.attempts:
        return False
    if any(number != expected for expected, (number, _) in enumerate(attempts, start=1)):
        return False
    if any(verdict == "passed" for _, verdict in attempts[:-1]):
        return False
    last = attempts[-1][1] if attempts else None
    match outcome.outcome:
        case "passed":
            return last == "passed"
        case "failed":
            return last not in ("passed", "error", "interrupted") and outcome.attempts == 1 + max_retries
        case _:
            return last in ("error", "interrupted") or (last is None and outcome.reason == "interrupted")


def _report(problems: list[str], what: str, tasks: list[str]) -> None:
    if tasks:
        noun = "task" if len(tasks) == 1 else "tasks"
        problems.append(f"{len(tasks)} {noun} {what}: {_some(tasks)}")


def _some(things: list[str]) -> str:
    rest = len(things) - SHOWN
    return ", ".join(things[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
