"""Reads and validates the events that a runtime reported (CONTRACT.md, Events)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from agentdyno import reading
from agentdyno.project import CONTRACT_VERSION
from agentdyno.reading import Missing, Unreadable
from agentdyno.rundata.columns import Columns, Pool, Sha256
from agentdyno.shape import MOST, Count, Must, Unfit, shaped

SHOWN = 3
"""How many examples a problem names; it counts the rest."""

Verdict = Literal[
    "passed", "failed", "unproven", "no_summary", "timed_out", "no_code", "error", "interrupted"
]
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

Outcome = Literal["passed", "failed", "error"]


class Attempt(NamedTuple):
    """One attempt event; times are CLOCK_MONOTONIC in ns, None for a phase that did not occur."""

    task: str
    attempt: Count
    t_begin: Count
    t_request: Count | None
    t_first: Count | None
    t_last: Count | None
    t_queue: Count | None
    t_spawn: Count | None
    t_started: Count | None
    t_exit: Count | None
    t_end: Count
    transport_retries: Count
    transport_ns: Count
    request_sha256: Sha256 | None
    completion_sha256: Sha256 | None
    usage: dict[str, object] | None
    exit_code: Count | None
    signal: Count | None
    timed_out: bool
    verdict: Verdict
    reason: str | None


class TaskOutcome(NamedTuple):
    """One task event."""

    task: str
    t: Count
    outcome: Outcome
    attempts: Count
    reason: str | None


@dataclass(slots=True)
class RunEvents:
    """All events of one run, and their problems, one sentence each."""

    t_start: int | None = None
    t_end: int | None = None
    attempts: Columns[Attempt] = field(default_factory=lambda: Columns(Attempt))
    outcomes: Columns[TaskOutcome] = field(default_factory=lambda: Columns(TaskOutcome))
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _RunStart:
    t: Count
    contract_version: Annotated[int, Must(f"{CONTRACT_VERSION}", lambda value: value == CONTRACT_VERSION)]
    pid: Count


@dataclass(frozen=True, slots=True)
class _RunEnd:
    t: Count


@dataclass(frozen=True, slots=True)
class _Event:
    event: Literal["run_start", "run_end", "attempt", "task"]


KINDS: Mapping[str, type] = {
    "run_start": _RunStart,
    "run_end": _RunEnd,
    "attempt": Attempt,
    "task": TaskOutcome,
}

REMEDY = "see CONTRACT.md, Events"


def read(path: Path, most_attempts: int = MOST, pool: Pool | None = None) -> RunEvents:
    """Read an event file; invalid lines become problems, and the other lines still count.

    A line with a number of attempts above `most_attempts`, those that the run allows a task, is invalid.
    """
    events = RunEvents(attempts=Columns(Attempt, pool=pool), outcomes=Columns(TaskOutcome, pool=pool))
    broken: list[str] = []
    try:
        for number, line in enumerate(reading.lines(path, REMEDY), start=1):
            try:
                _take(line, events, most_attempts)
            except (ValueError, Unfit) as error:
                broken.append(f"line {number} ({error})")
    except Missing:
        events.problems.append("the runtime wrote no events")
        return events
    except Unreadable as error:
        events.problems.append(f"{path.name} {error.reason}")
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


def _take(line: bytes, events: RunEvents, most_attempts: int) -> None:
    """Add the event of a line; a ValueError or an Unfit says how the line breaks the contract."""
    text = line.decode().removesuffix("\n")
    if not text:
        return
    document = reading.parse_json(text)
    event: object = shaped(document, KINDS[shaped(document, _Event).event])
    match event:
        case _RunStart():
            events.t_start = event.t
        case _RunEnd():
            events.t_end = event.t
        case Attempt():
            _check_order(event)
            _check_number(event.attempt, "attempt", most_attempts)
            events.attempts.append(event)
        case TaskOutcome():
            _check_number(event.attempts, "attempts", most_attempts)
            events.outcomes.append(event)


def _check_order(attempt: Attempt) -> None:
    times = [(name, time) for name in PHASES if (time := getattr(attempt, name)) is not None]
    for (earlier, before), (later, after) in pairwise(times):
        if after < before:
            raise Unfit(f"must not be before {earlier}", later)


def _check_number(attempts: int, field: str, most: int) -> None:
    if attempts > most:
        raise Unfit(f"must be at most {most}, the attempts that the run allows, and is {attempts}", field)


def accounting(events: RunEvents, task_ids: Sequence[str], max_retries: int) -> list[str]:
    """The problems with the outcomes: each task must have one, and the task's attempts must lead to it."""
    problems: list[str] = []
    _count(problems, events, task_ids)
    attempts: dict[str, tuple[Made, ...]] = {}
    kinds: dict[tuple[Made, ...], tuple[Made, ...]] = {}  # Most tasks go alike.
    for task, number, verdict in events.attempts.of("task", "attempt", "verdict"):
        made = (*attempts.get(task, ()), (number, verdict))
        attempts[task] = kinds.setdefault(made, made)
    contradicted = [
        outcome.task
        for outcome in events.outcomes
        if not _leads_to(attempts.get(outcome.task, ()), outcome, max_retries)
    ]
    _report(problems, "whose outcome does not follow from the attempts", contradicted)
    return problems


def _count(problems: list[str], events: RunEvents, task_ids: Sequence[str]) -> None:
    """Report the tasks that do not have exactly one outcome."""
    expected = set(task_ids)
    seen: dict[str, int] = {}
    for task in events.outcomes.column("task"):
        seen[task] = seen.get(task, 0) + 1
    _report(problems, "lost, without any outcome", [task for task in task_ids if task not in seen])
    _report(problems, "with more than one outcome", [task for task, count in seen.items() if count > 1])
    _report(problems, "not in the tasks file", [task for task in seen if task not in expected])


Made = tuple[int, str]
"""The number and the verdict of an attempt."""


def _leads_to(attempts: Sequence[Made], outcome: TaskOutcome, max_retries: int) -> bool:
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
