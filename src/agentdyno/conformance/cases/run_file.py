"""What the cases of run files share."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from agentdyno.conformance.observation import Observation
from agentdyno.conformance.stage import Stage
from agentdyno.conformance.violation import require

NUMBERS = (
    "verify.timeout_s",
    "timeouts.connect_s",
    "timeouts.event_idle_s",
    "timeouts.total_s",
    "transport.base_s",
    "transport.cap_s",
)
ARGV = "verify.argv"

Change = Callable[[dict[str, Any]], None]


def put(field: str, value: object) -> Change:
    """Give a field, named like `verify.timeout_s`, another value."""

    def change(document: dict[str, Any]) -> None:
        *above, name = field.split(".")
        for entry in above:
            document = document[entry]
        document[name] = value

    return change


def write(field: str, content: bytes) -> Change:
    """Give the file that a field names another content."""

    def change(document: dict[str, Any]) -> None:
        Path(document[field]).write_bytes(content)

    return change


def why_not_refused(observed: Observation, names: Iterable[str] = ()) -> str | None:
    """What was observed in place of exit 2, one line that holds all of `names`, and nothing done."""
    said = observed.stderr.decode("utf-8", "replace").replace(str(observed.folder), "")
    if observed.status != 2:
        return f"{observed.ending}, expected exit 2"
    if len(said.strip("\n").split("\n")) != 1 or not said.strip():
        return f"{said.strip()[:300]!r} on stderr, expected one line"
    for name in names:
        if re.search(rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])", said) is None:
            return f"{said.strip()[:200]!r} on stderr, expected a line that names {name}"
    if observed.connections:
        return f"{observed.connections} connections, expected none"
    if (observed.folder / "events.jsonl").exists():
        return "an event file was made"
    return None


async def each_refused(stage: Stage, changes: Mapping[str, tuple[Change, Iterable[str]]]) -> str:
    """Require that a run with each of the changes, one at a time, is refused with its names."""
    problems = {
        what: problem
        for what, (change, names) in changes.items()
        if (problem := why_not_refused(await stage.run(change=change), names)) is not None
    }
    shown = "; ".join(f"{what}: {problem}" for what, problem in list(problems.items())[:3])
    require(not problems, f"{len(problems)} of {len(changes)} not refused; {shown}")
    return f"{len(changes)} run files, each refused by its line"


def fields_with(fields: Iterable[str], *values: object) -> dict[str, tuple[Change, Iterable[str]]]:
    """Each field with each value; the lines are to name the fields."""
    return {
        f"{field} = {json.dumps(value)}": (put(field, value), field.split("."))
        for field in fields
        for value in values
    }


async def refused(stage: Stage, names: Iterable[str] = (), **options: Any) -> str:
    """Require that one run is refused."""
    observed = await stage.run(**options)
    problem = why_not_refused(observed, names)
    require(problem is None, str(problem))
    return observed.stderr.decode("utf-8", "replace").strip().replace(str(observed.folder), "…")
