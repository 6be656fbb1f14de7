"""What the endpoint can serve on this machine, as `agentdyno calibrate` found it, against what is asked."""

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agentdyno.endpoint.profile import PROFILES, Interval, Profile
from agentdyno.files import write_json
from agentdyno.measure.environment import environment
from agentdyno.project import RESULTS

NAME = "calibration.json"
KEPT = RESULTS / NAME


@dataclass(frozen=True, slots=True)
class EndpointCapacity:
    """So many events a second were served on time, to so many streams at once, with this client.

    `date` is in UTC, as ISO 8601 has it.
    """

    events_per_s: float
    streams: int
    client: str
    date: str

    def __str__(self) -> str:
        """The events a second, to the two digits that a calibration is good for."""
        return in_words(self.events_per_s)


def keep(limit: EndpointCapacity, folder: Path) -> Path:
    """Write `limit` down for this machine and this endpoint, and say where. Raises `UserError`."""
    path = folder / NAME
    write_json(
        path,
        {
            **_here(),
            "client": limit.client,
            "events_per_s": limit.events_per_s,
            "streams": limit.streams,
            "date": limit.date,
        },
    )
    return path


def known_capacity(kept: Path = KEPT) -> EndpointCapacity | None:
    """What was kept; None when nothing was, or on another machine, or with another endpoint."""
    try:
        document = json.loads(kept.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(document, dict) or any(document.get(name) != facts for name, facts in _here().items()):
        return None
    try:
        return EndpointCapacity(
            events_per_s=float(document["events_per_s"]),
            streams=int(document["streams"]),
            client=str(document["client"]),
            date=str(document["date"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def asked_events_per_s(profile: Profile, agents: int) -> float | None:
    """What so many streams ask when all are open: each one event in the mean time between tokens.

    None when that is 0 and replies leave in one piece.
    """
    mean_s = profile.itl.median_s * _mean_by_median(profile.itl)
    return agents / mean_s if mean_s else None


def warning(profile: Profile, agents: int, kept: Path = KEPT) -> str | None:
    """One sentence when that is more than the endpoint can serve here; None too when nobody knows."""
    asked = asked_events_per_s(profile, agents)
    limit = known_capacity(kept)
    if asked is None or limit is None or asked <= limit.events_per_s:
        return None
    fitting = int(agents * limit.events_per_s / asked)
    fewer = f", or --agents {fitting}" if fitting else ""
    return (
        f"{agents:,} agents at profile {profile.name} ask the endpoint for up to {in_words(asked)} events a "
        f"second, and calibrate found that it can serve {limit} here: use --profile "
        f"{_slower(profile, agents / limit.events_per_s)}{fewer}"
    )


def in_words(events_per_s: float) -> str:
    """Two significant digits and thousands set off, as in 38,000."""
    return f"{float(f'{events_per_s:.2g}'):,.0f}"


def _mean_by_median(interval: Interval) -> float:
    """Of a log-normal time, exp(sigma²/2); 1 without a spread."""
    return math.exp(interval.sigma**2 / 2)


def _slower(profile: Profile, mean_s: float) -> str:
    """The profile with this mean time between tokens at least, as --profile takes it."""
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
