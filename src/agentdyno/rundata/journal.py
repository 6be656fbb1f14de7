"""Reads the endpoint's journal (docs/endpoint.md defines the fields)."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from agentdyno.reading import Missing, json_lines
from agentdyno.rundata.columns import Columns, Pool, Sha256
from agentdyno.shape import Amount, Count, Unfit, shaped


class Request(NamedTuple):
    """One request as the endpoint recorded it.

    Times are CLOCK_MONOTONIC in ns: the finish reason left at `t_finish`, the last byte at `t_last`. At
    `t_gone` the client left before the response was over. `status` is None where the client left before any.
    `is_served` when a finish reason has left, whatever became of the rest; `finish` is then the model's
    finish reason. `max_late_us` is the lateness in microseconds of the latest of its `chunks`. The hashes and
    the tokens are those of the reply that was sent and of the code block in it, None where they are not known
    or there is none.
    """

    task: str | None
    attempt: int | None
    t_arrive: int
    t_finish: int | None
    t_last: int | None
    status: int | None
    finish: str | None
    request_sha256: Sha256 | None
    in_flight: int
    chunks: int
    max_late_us: int | None
    is_served: bool
    t_gone: int | None = None
    completion_sha256: Sha256 | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    solution_sha256: Sha256 | None = None

    @property
    def t_over(self) -> int | None:
        """When the request was over: at its last byte, or when the client left without waiting for that."""
        return self.t_last if self.t_gone is None else self.t_gone

    @property
    def open_s(self) -> float:
        """How long the request was open, in seconds."""
        return (self.t_over - self.t_arrive) / 1e9 if self.t_over else 0.0


@dataclass(slots=True)
class Journal:
    """All requests of one run.

    `lateness` is how many chunks were late by each number of microseconds. `oddities` counts what was odd in
    the `replies` with status 200 (docs/endpoint.md). `refused` counts the requests about which the server
    said something, by status, and `said` has its first words. `unplanned_failures` say, by task and attempt,
    why a reply failed that the script makes pass. `is_whole` when the endpoint ended in order and
    recorded its end. `cpu_s` is the endpoint's processor time since the endpoint began to listen, which
    excludes its preparation. `seed` is that of the script, and None if a real endpoint answered.
    """

    requests: Columns[Request] = field(default_factory=lambda: Columns(Request))
    lateness: Counter[int] = field(default_factory=Counter)
    replies: int = 0
    oddities: Counter[str] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)
    said: dict[int, str] = field(default_factory=dict)
    unplanned_failures: dict[tuple[str, int], str] = field(default_factory=dict)
    is_whole: bool = False
    cpu_s: float | None = None
    seed: int | None = None

    @property
    def open_s(self) -> float:
        """The durations of all requests, summed, in seconds."""
        return sum(request.open_s for request in self.requests)


@dataclass(frozen=True, slots=True)
class _Line:
    kind: Literal["start", "request", "end"]


@dataclass(frozen=True, slots=True)
class _Process:
    """The first line and the last."""

    kind: Literal["start", "end"]
    cpu_s: Amount
    seed: Count | None = None
    upstream: object = None


@dataclass(frozen=True, slots=True)
class _Request:
    """A request as version 0.2.0 writes it; version 0.1.0 has neither `served` nor `t_finish`."""

    task: str | None
    attempt: Count | None
    t_arrive: Count
    t_last: Count | None
    status: Count | None
    finish: str | None
    request_sha256: str | None
    in_flight: Count
    late_us: list[int]
    t_finish: Count | None = None
    t_gone: Count | None = None
    served: bool | None = None
    said: str | None = None
    oddities: list[str] = field(default_factory=list)
    unplanned_failure: str | None = None
    completion_sha256: str | None = None
    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None
    solution_sha256: str | None = None

    def __post_init__(self) -> None:
        if self.t_last is not None and self.t_last < self.t_arrive:
            raise Unfit("must not be before t_arrive", "t_last")

    @property
    def is_served(self) -> bool:
        """In version 0.1.0 `finish` holds the endpoint's own words as well."""
        if self.served is not None:
            return self.served
        return self.status == 200 and self.finish not in (None, "error", "client_gone", "client_slow")


def _line(document: Any) -> _Process | _Request:
    if shaped(document, _Line).kind == "request":
        return shaped(document, _Request)
    return shaped(document, _Process)


def read(path: Path, remedy: str, pool: Pool | None = None) -> Journal:
    """Read a journal; an Unreadable names the line that is damaged. Empty where there is no file."""
    journal = Journal(Columns(Request, pool=pool))
    began_s = 0.0
    try:
        for line in json_lines(path, _line, remedy):
            match line:
                case _Request():
                    journal.requests.append(_request(line))
                    journal.lateness.update(line.late_us)
                    _take_words(line, journal)
                case _Process(kind="start"):
                    began_s = line.cpu_s
                    journal.seed = line.seed if line.upstream is None else None
                case _Process():
                    journal.is_whole = True
                    journal.cpu_s = line.cpu_s - began_s
    except Missing:
        pass
    return journal


def _take_words(line: _Request, journal: Journal) -> None:
    journal.replies += line.status == 200
    journal.oddities.update(line.oddities)
    if line.said is not None and line.status is not None:
        journal.refused[line.status] += 1
        journal.said.setdefault(line.status, line.said)
    if line.unplanned_failure is not None and line.task is not None and line.attempt is not None:
        journal.unplanned_failures[line.task, line.attempt - 1] = line.unplanned_failure


def _request(line: _Request) -> Request:
    return Request(
        task=line.task,
        attempt=line.attempt,
        t_arrive=line.t_arrive,
        t_finish=line.t_finish or (line.t_last if line.is_served else None),
        t_last=line.t_last,
        status=line.status,
        finish=line.finish,
        request_sha256=line.request_sha256,
        in_flight=line.in_flight,
        chunks=len(line.late_us),
        max_late_us=max(line.late_us, default=None),
        is_served=line.is_served,
        t_gone=line.t_gone,
        completion_sha256=line.completion_sha256,
        prompt_tokens=line.prompt_tokens,
        completion_tokens=line.completion_tokens,
        solution_sha256=line.solution_sha256,
    )
