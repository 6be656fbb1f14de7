"""The rules that every run of every case is held to."""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agentdyno.conformance.canonical import canonical
from agentdyno.conformance.endpoint import Request
from agentdyno.conformance.seen import Seen
from agentdyno.rundata.events import Attempt, accounting

NOTHING = hashlib.sha256(b"").hexdigest()
"""The digest of an empty completion."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a rule was kept, and the evidence in one line."""

    rule: str
    kept: bool
    evidence: str


def always(seen: Seen, key: str, tasks: Sequence[str], max_retries: int) -> list[Finding]:
    """Hold a run to the rules that need no particular scene; a rule that it gave no occasion for is left
    out.
    """
    findings: list[Finding | None] = [
        _finding(
            "request.canonical", _not_canonical(seen), f"{len(seen.requests)} bodies", bool(seen.requests)
        ),
        _finding("key.secret", _key_found(seen, key), "not in any file, log, event or child"),
        _finding("exit.processes", [f"left behind: {command}" for command in seen.survivors], "none left"),
        _finding("exit.zombies", [f"{seen.zombies} not reaped"] * bool(seen.zombies), "all reaped"),
        _finding("exit.workspaces", [f"left behind: {name}" for name in seen.workspaces_left], "none left"),
    ]
    if seen.event_file.is_file() and seen.status in (0, 130, 143):
        findings += [
            _finding("events.format", seen.events.problems, f"{len(seen.events.attempts)} attempts"),
            _finding(
                "events.accounting", accounting(seen.events, tasks, max_retries), f"{len(tasks)} outcomes"
            ),
            _finding("events.digests", list(_digests(seen)), "as on the wire", bool(seen.events.attempts)),
            _finding(
                "events.times", list(_times(seen)), "as the endpoint saw them", bool(seen.events.attempts)
            ),
            _finding("exit.status", list(_status(seen, tasks)), f"exit {seen.status}"),
        ]
    return [finding for finding in findings if finding is not None]


def _finding(rule: str, problems: Sequence[str], otherwise: str, occasion: bool = True) -> Finding | None:
    if not occasion and not problems:
        return None
    return Finding(rule, not problems, problems[0] if problems else otherwise)


def _not_canonical(seen: Seen) -> list[str]:
    problems = list(seen.wire_problems)
    for number, request in enumerate(seen.requests, start=1):
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


def _key_found(seen: Seen, key: str) -> list[str]:
    """Every place but the header that gives the key away."""
    parts = spellings(key)
    problems = [f"in the {place}" for place in seen.key_in_process]
    for number, request in enumerate(seen.requests, start=1):
        others = [value for name, value in request.headers if name != "authorization"]
        sent = [request.body, *(value.encode("latin-1") for value in (request.line, *others))]
        if any(part in piece for part in parts for piece in sent):
            problems.append(f"in request {number} outside the Authorization header")
    for path, content in _files(seen.folder):
        at = min((content.find(part) for part in parts if part in content), default=None)
        if at is not None:
            problems.append(f"in {_place(path, seen.folder)}: {content[max(0, at - 40) : at + 40]!r}")
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


def _requests(seen: Seen, attempt: Attempt) -> list[Request]:
    return [
        request
        for request in seen.requests
        if request.task == attempt.task and request.attempt == attempt.attempt
    ]


def _digests(seen: Seen) -> Iterator[str]:
    for attempt in seen.events.attempts:
        where = f"attempt {attempt.attempt} of {attempt.task}"
        for request in _requests(seen, attempt):
            if attempt.request_sha256 != request.sha256:
                yield f"{where}: request_sha256 {attempt.request_sha256}, on the wire {request.sha256}"
        following = [
            request
            for request in seen.requests
            if request.task == attempt.task and request.attempt == attempt.attempt + 1
        ]
        if following:
            replies = [
                message["content"] for message in following[0].messages if message["role"] == "assistant"
            ]
            sent = hashlib.sha256(replies[-1].encode()).hexdigest()
            if attempt.completion_sha256 != sent:
                yield f"{where}: completion_sha256 is not that of the reply in the next request"


def _times(seen: Seen) -> Iterator[str]:
    for attempt in seen.events.attempts:
        where = f"attempt {attempt.attempt} of {attempt.task}"
        requests = _requests(seen, attempt)
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


def _status(seen: Seen, tasks: Sequence[str]) -> Iterator[str]:
    interrupted = any(outcome.reason == "interrupted" for outcome in seen.events.outcomes)
    expected = "130 or 143" if interrupted else "0"
    if (seen.status == 0) == interrupted:
        outcomes = f"{len(seen.events.outcomes)} of {len(tasks)} outcomes"
        yield f"exit {seen.status} with {outcomes}, expected {expected}"
