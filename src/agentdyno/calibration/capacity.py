"""The endpoint's capacity on this machine, from `agentdyno calibrate`, and the load that a run asks for."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypedDict

from agentdyno.endpoint.profile import PROFILES, Interval, Profile
from agentdyno.files import write_json
from agentdyno.measure.machine import environment
from agentdyno.project import RESULTS
from agentdyno.reading import Unreadable, read_json
from agentdyno.shape import Amount, Count, Json

NAME = "calibration.json"
KEPT = RESULTS / NAME


@dataclass(frozen=True, slots=True)
class EndpointCapacity:
    """The largest load that the endpoint served on time: events a second, concurrent streams, and the client.

    `date` is in UTC, in the form of ISO 8601.
    """

    events_per_s: float
    streams: int
    client: str
    date: str

    def __str__(self) -> str:
        """The events a second, to two significant digits; a calibration is no more exact."""
        return in_words(self.events_per_s)


def keep(capacity: EndpointCapacity, folder: Path) -> Path:
    """Write `capacity` to a file for this machine and this endpoint; returns its path. Raises `UserError`."""
    path = folder / NAME
    write_json(
        path,
        {
            **_here(),
            "client": capacity.client,
            "events_per_s": capacity.events_per_s,
            "streams": capacity.streams,
            "date": capacity.date,
        },
    )
    return path


class _Kept(TypedDict):
    machine: dict[str, Json]
    endpoint: dict[str, Json]
    client: str
    events_per_s: Amount
    streams: Count
    date: str


def known_capacity(kept: Path = KEPT) -> EndpointCapacity | None:
    """The capacity in the file `kept`; None if there is none of this machine and this endpoint."""
    try:
        document = read_json(kept, _Kept, "calibrate again")
    except Unreadable:
        return None
    if {"machine": document["machine"], "endpoint": document["endpoint"]} != _here():
        return None
    return EndpointCapacity(
        document["events_per_s"], document["streams"], document["client"], document["date"]
    )


def asked_events_per_s(profile: Profile, agents: int) -> float | None:
    """The events a second of `agents` open streams: one event per stream in each mean time between tokens.

    None if the time between tokens is 0.
    """
    mean_s = profile.itl.median_s * _mean_by_median(profile.itl)
    return agents / mean_s if mean_s else None


def warning(profile: Profile, agents: int, kept: Path = KEPT) -> str | None:
    """One sentence if a run asks for more than the endpoint's capacity; None if not, or if it is unknown."""
    asked = asked_events_per_s(profile, agents)
    capacity = known_capacity(kept)
    if asked is None or capacity is None or asked <= capacity.events_per_s:
        return None
    fitting = int(agents * capacity.events_per_s / asked)
    fewer = f", or --agents {fitting}" if fitting else ""
    return (
        f"{agents:,} agents at profile {profile.name} ask the endpoint for up to {in_words(asked)} events a "
        f"second, and calibrate found that it can serve {capacity} here: use --profile "
        f"{_slower(profile, agents / capacity.events_per_s)}{fewer}"
    )


def in_words(events_per_s: float) -> str:
    """Two significant digits, with a comma between thousands, as in 38,000."""
    return f"{float(f'{events_per_s:.2g}'):,.0f}"


def _mean_by_median(interval: Interval) -> float:
    """The mean over the median: exp(sigma²/2) for a log-normal time; 1 without a spread."""
    return math.exp(interval.sigma**2 / 2)


def _slower(profile: Profile, mean_s: float) -> str:
    """The profile with at least this mean time between tokens, as --profile takes it."""
    median_s = math.ceil(mean_s / _mean_by_median(profile.itl) * 1e3) / 1e3
    name = profile.name.partition(":")[0]
    known = PROFILES.get(name)
    ttft = "" if known and known.ttft == profile.ttft else f"ttft={profile.ttft},"
    return f"{name}:{ttft}itl={replace(profile.itl, median_s=median_s)}"


def _here() -> dict[str, Any]:
    facts = environment()
    return {
        "machine": {name: facts[name] for name in ("cpu", "cpus", "kernel")},
        "endpoint": {
            "agentdyno": facts["agentdyno"],
            "python": facts["python"],
            "uvloop": facts["libraries"]["uvloop"],
        },
    }
