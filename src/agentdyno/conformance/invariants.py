"""One observed run, and the invariants: the rules that every run of every case is held to."""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from agentdyno.conformance.endpoint import Request
from agentdyno.conformance.rules import RuleViolation
from agentdyno.rundata.events import Attempt, RunEvents, TaskOutcome, accounting
from agentdyno.tasks.first_request import canonical


@dataclass(frozen=True)
class Observation:
    """One run, after it ended. `status` is the exit status, or minus the signal that ended it; `t_ended` is
    CLOCK_MONOTONIC in ns.
    """

    folder: Path
    status: int
    t_ended: int
    requests: list[Request]
    connections: int
    most_open: int
    wire_problems: list[str]
    event_file: Path
    events: RunEvents
    stderr: bytes
    stdout: bytes
    survivors: list[str]
    zombies: int
    workspaces_left: list[str]
    peak_kib: int
    key_in_process: list[str]

    def of(self, task: str) -> list[Request]:
        """The requests for one task."""
        return [request for request in self.requests if request.task == task]

    def outcome(self, task: str = "task/1") -> TaskOutcome:
        """The task's outcome; raises RuleViolation when there is not exactly one."""
        outcomes = [outcome for outcome in self.events.outcomes if outcome.task == task]
        if len(outcomes) != 1:
            raise RuleViolation(f"{len(outcomes)} task events for {task}; {self.ending}")
        return outcomes[0]

    def attempts(self, task: str = "task/1") -> list[Attempt]:
        """The task's attempts."""
        return [self.events.attempts[at] for at in self._attempts_of.get(task, ())]

    @cached_property
    def _attempts_of(self) -> dict[str, list[int]]:
        """The positions of each task's attempts: some runs have thousands of tasks and are asked for each."""
        found: dict[str, list[int]] = {}
        for position, task in enumerate(self.events.attempts.column("task")):
            found.setdefault(task, []).append(position)
        return found

    def attempt(self, number: int = 1, task: str = "task/1") -> Attempt:
        """One attempt of the task; raises RuleViolation when there is none."""
        for attempt in self.attempts(task):
            if attempt.attempt == number:
                return attempt
        raise RuleViolation(f"no event for attempt {number} of {task}; {self.ending}")

    @property
    def ending(self) -> str:
        """How the run ended, in a few words, for evidence."""
        how = f"exit {self.status}" if self.status >= 0 else f"ended by signal {-self.status}"
        said = self.stderr.decode("utf-8", "replace").strip().splitlines()
        return how + (f", stderr: {said[-1][:200]}" if said else "")


NOTHING = hashlib.sha256(b"").hexdigest()
"""The digest of an empty completion."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a rule was kept, and the evidence in one line."""

    rule: str
    kept: bool
    evidence: str


def check_invariants(
    observed: Observation, key: str, tasks: Sequence[str], max_retries: int
) -> list[Finding]:
    """What each invariant finds in a run; an invariant that the run gave no occasion for is left out."""
    findings: list[Finding | None] = [
        _finding(
            "request.canonical",
            _not_canonical(observed),
            f"{len(observed.requests)} bodies",
            bool(observed.requests),
        ),
        _finding("key.secret", _key_found(observed, key), "not in any file, log, event or child"),
        _finding(
            "exit.processes", [f"left behind: {command}" for command in observed.survivors], "none left"
        ),
        _finding("exit.zombies", [f"{observed.zombies} not reaped"] * bool(observed.zombies), "all reaped"),
        _finding(
            "exit.workspaces", [f"left behind: {name}" for name in observed.workspaces_left], "none left"
        ),
    ]
    if observed.event_file.is_file() and observed.status in (0, 130, 143):
        findings += [
            _finding("events.format", observed.events.problems, f"{len(observed.events.attempts)} attempts"),
            _finding(
                "events.accounting", accounting(observed.events, tasks, max_retries), f"{len(tasks)} outcomes"
            ),
            _finding(
                "events.digests", list(_digests(observed)), "as on the wire", bool(observed.events.attempts)
            ),
            _finding(
                "events.times",
                list(_times(observed)),
                "as the endpoint saw them",
                bool(observed.events.attempts),
            ),
            _finding("exit.status", list(_status(observed, tasks)), f"exit {observed.status}"),
        ]
    return [finding for finding in findings if finding is not None]


def _finding(rule: str, problems: Sequence[str], otherwise: str, occasion: bool = True) -> Finding | None:
    if not occasion and not problems:
        return None
    return Finding(rule, not problems, problems[0] if problems else otherwise)


def _not_canonical(observed: Observation) -> list[str]:
    problems = list(observed.wire_problems)
    for number, request in enumerate(observed.requests, start=1):
        try:
            expected = canonical(request.document)
        except ValueError:
            problems.append(f"request {number} is not JSON: {request.body[:80]!r}")
            continue
        if request.body != expected:
            at = next(
                (
                    i
                    for i, (one, other) in enumerate(zip(request.body, expected, strict=False))
                    if one != other
                ),
                min(len(request.body), len(expected)),
            )
            start = max(0, at - 20)
            problems.append(
                f"request {number} has {request.body[start : at + 20]!r} where canonical JSON has "
                f"{expected[start : at + 20]!r} (byte {at})"
            )
    return problems


def _key_found(observed: Observation, key: str) -> list[str]:
    """Every place but the header that gives the key away."""
    parts = spellings(key)
    problems = [f"in the {place}" for place in observed.key_in_process]
    for number, request in enumerate(observed.requests, start=1):
        others = [value for name, value in request.headers if name != "authorization"]
        sent = [request.body, *(value.encode("latin-1") for value in (request.line, *others))]
        if any(part in piece for part in parts for piece in sent):
            problems.append(f"in request {number} outside the Authorization header")
    for path, content in _files(observed.folder):
        at = min((content.find(part) for part in parts if part in content), default=None)
        if at is not None:
            problems.append(f"in {_place(path, observed.folder)}: {content[max(0, at - 40) : at + 40]!r}")
    return problems


def _files(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """The files below a folder, of which some may be beyond reach: a runtime can leave anything behind."""
    for place, _, names in os.walk(folder):
        for name in sorted(names):
            path = os.path.join(place, name)
            with contextlib.suppress(OSError):
                if os.path.isfile(path) and not os.path.islink(path):
                    yield Path(path), Path(path).read_bytes()


def spellings(key: str) -> set[bytes]:
    """What gives a key away: either half of it, as it is, within JSON, and within JSON within JSON."""
    found = set()
    for half in (key[: len(key) // 2], key[len(key) // 2 :]):
        spelling = half
        for _ in range(3):
            found.add(spelling.encode())
            spelling = json.dumps(spelling)[1:-1]
    return found


def _place(path: Path, folder: Path) -> str:
    return {"stderr": "its stderr", "stdout": "its stdout", "events.jsonl": "an event"}.get(
        path.name, str(path.relative_to(folder))
    )


def _requests(observed: Observation, attempt: Attempt) -> list[Request]:
    return [
        request
        for request in observed.requests
        if request.task == attempt.task and request.attempt == attempt.attempt
    ]


def _digests(observed: Observation) -> Iterator[str]:
    for attempt in observed.events.attempts:
        where = f"attempt {attempt.attempt} of {attempt.task}"
        for request in _requests(observed, attempt):
            if attempt.request_sha256 != request.sha256:
                yield f"{where}: request_sha256 {attempt.request_sha256}, on the wire {request.sha256}"
        following = [
            request
            for request in observed.requests
            if request.task == attempt.task and request.attempt == attempt.attempt + 1
        ]
        if following:
            replies = [
                message["content"] for message in following[0].messages if message["role"] == "assistant"
            ]
            sent = hashlib.sha256(replies[-1].encode()).hexdigest()
            if attempt.completion_sha256 != sent:
                yield f"{where}: completion_sha256 is not that of the reply in the next request"


def _times(observed: Observation) -> Iterator[str]:
    for attempt in observed.events.attempts:
        where = f"attempt {attempt.attempt} of {attempt.task}"
        requests = _requests(observed, attempt)
        if attempt.verdict == "interrupted" or not requests:
            continue
        last = requests[-1]
        if len(requests) > attempt.transport_retries + 1:
            yield f"{where}: transport_retries {attempt.transport_retries}, but {len(requests)} requests came"
        if attempt.t_request is not None and attempt.t_request > last.t:
            yield f"{where}: t_request is {attempt.t_request - last.t} ns after the request had come"
        if attempt.t_first is not None and (last.t_answer is None or attempt.t_first < last.t_answer):
            yield f"{where}: t_first is before the first byte was sent"
        if attempt.completion_sha256 is None:
            continue
        if attempt.t_last is None:
            yield f"{where}: a completion without t_last"
        if (attempt.t_first is None) != (attempt.completion_sha256 == NOTHING):
            yield f"{where}: t_first {attempt.t_first}, completion_sha256 {attempt.completion_sha256}"


def _status(observed: Observation, tasks: Sequence[str]) -> Iterator[str]:
    interrupted = any(outcome.reason == "interrupted" for outcome in observed.events.outcomes)
    expected = "130 or 143" if interrupted else "0"
    if (observed.status == 0) == interrupted:
        outcomes = f"{len(observed.events.outcomes)} of {len(tasks)} outcomes"
        yield f"exit {observed.status} with {outcomes}, expected {expected}"
