"""Reads the endpoint's journal (docs/endpoint.md defines the fields)."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from agentdyno.rundata.columns import Columns, Pool, Sha256


class Request(NamedTuple):
    """One request as the endpoint recorded it.

    Times are CLOCK_MONOTONIC in ns: the finish reason left at `t_finish`, the last byte at `t_last`.
    `is_served` when a finish reason has left, whatever became of the rest; `finish` is then the model's
    finish reason. `max_late_us` is the lateness in microseconds of the latest of its `chunks`.
    """

    task: str | None
    attempt: int | None
    t_arrive: int
    t_finish: int | None
    t_last: int | None
    status: int
    finish: str | None
    request_sha256: Sha256 | None
    in_flight: int
    chunks: int
    max_late_us: int | None
    is_served: bool

    @property
    def open_s(self) -> float:
        """How long the request was open, in seconds."""
        return (self.t_last - self.t_arrive) / 1e9 if self.t_last else 0.0


@dataclass(slots=True)
class Journal:
    """All requests of one run.

    `lateness` is how many chunks were late by each number of microseconds. `is_whole` when the endpoint ended
    in order and recorded its end. `cpu_s` is the endpoint's processor time since the endpoint began to
    listen, which excludes its preparation.
    """

    requests: Columns[Request] = field(default_factory=lambda: Columns(Request))
    lateness: Counter[int] = field(default_factory=Counter)
    is_whole: bool = False
    cpu_s: float | None = None

    @property
    def open_s(self) -> float:
        """The durations of all requests, summed, in seconds."""
        return sum(request.open_s for request in self.requests)


def read(path: Path, pool: Pool | None = None) -> Journal:
    """Read a journal. An incomplete last line, which a crash leaves, is ignored."""
    journal = Journal(Columns(Request, pool=pool))
    began_s = 0.0
    if not path.exists():
        return journal
    with path.open("rb") as file:
        for raw in file:
            if not raw.endswith(b"\n"):
                break
            line = json.loads(raw)
            if line["kind"] == "request":
                served, late_us = _is_served(line), line["late_us"]
                journal.lateness.update(late_us)
                journal.requests.append(
                    Request(
                        task=line["task"],
                        attempt=line["attempt"],
                        t_arrive=line["t_arrive"],
                        t_finish=line.get("t_finish") or (line["t_last"] if served else None),
                        t_last=line["t_last"],
                        status=line["status"],
                        finish=line["finish"],
                        request_sha256=line["request_sha256"],
                        in_flight=line["in_flight"],
                        chunks=len(late_us),
                        max_late_us=max(late_us, default=None),
                        is_served=served,
                    )
                )
            elif line["kind"] == "start":
                began_s = line["cpu_s"]
            elif line["kind"] == "end":
                journal.is_whole = True
                journal.cpu_s = line["cpu_s"] - began_s
    return journal


def _is_served(line: dict[str, Any]) -> bool:
    """Journals of version 0.1.0 have no `served`; their `finish` holds the endpoint's own words as well."""
    if "served" in line:
        return bool(line["served"])
    return line["status"] == 200 and line["finish"] not in (None, "error", "client_gone", "client_slow")
