"""Reads the endpoint's journal (docs/endpoint.md defines the fields)."""

import json
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the endpoint recorded it.

    Times are CLOCK_MONOTONIC in ns. `late_us` has the lateness of each chunk in microseconds.
    """

    task: str | None
    attempt: int | None
    t_arrive: int
    t_last: int | None
    status: int
    finish: str | None
    request_sha256: str | None
    in_flight: int
    late_us: list[int]

    @property
    def is_complete(self) -> bool:
        """Whether the endpoint sent the whole reply; `finish` is then the model's finish reason."""
        return self.status == 200 and self.finish not in (None, "error", "client_gone", "client_slow")


@dataclass(slots=True)
class Journal:
    """All requests of one run.

    `is_whole` when the endpoint ended in order and recorded its end. `cpu_s` is the endpoint's processor time
    since the endpoint began to listen, which excludes its preparation.
    """

    requests: list[Request] = field(default_factory=list)
    is_whole: bool = False
    cpu_s: float | None = None

    @property
    def open_s(self) -> float:
        """The durations of all requests, summed, in seconds."""
        return sum(request.t_last - request.t_arrive for request in self.requests if request.t_last) / 1e9


def read(path: Path) -> Journal:
    """Read a journal. An incomplete last line, which a crash leaves, is ignored."""
    journal = Journal()
    began_s = 0.0
    if not path.exists():
        return journal
    with path.open("rb") as file:
        for raw in file:
            if not raw.endswith(b"\n"):
                break
            line = json.loads(raw)
            if line["kind"] == "request":
                journal.requests.append(
                    Request(
                        task=line["task"],
                        attempt=line["attempt"],
                        t_arrive=line["t_arrive"],
                        t_last=line["t_last"],
                        status=line["status"],
                        finish=line["finish"],
                        request_sha256=line["request_sha256"],
                        in_flight=line["in_flight"],
                        late_us=line["late_us"],
                    )
                )
            elif line["kind"] == "start":
                began_s = line["cpu_s"]
            elif line["kind"] == "end":
                journal.is_whole = True
                journal.cpu_s = line["cpu_s"] - began_s
    return journal
