"""The run file: what its cases share, and its fields."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from agentdyno.conformance.case import case
from agentdyno.conformance.invariants import Observation
from agentdyno.conformance.rules import require
from agentdyno.conformance.stage import Stage

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


TEXTS = ("tasks_file", "prompts_file", "base_url", "model", "workspaces", "events")
INTEGERS = (
    "contract_version",
    "agents",
    "max_retries",
    "verify.slots",
    "verify.output_limit_bytes",
    "transport.max_retries",
)
OBJECTS = ("request", "verify", "timeouts", "transport", "verify.env")
FIELDS = (*TEXTS, *INTEGERS, *NUMBERS, *OBJECTS, ARGV)


def drop(field: str) -> Change:
    """Leave a field out."""

    def change(document: dict[str, Any]) -> None:
        *above, name = field.split(".")
        for entry in above:
            document = document[entry]
        del document[name]

    return change


# run-file.json


@case("run-file.json", "not there")
async def not_there(stage: Stage) -> str:
    return await refused(stage, spell=lambda text: None)


@case("run-file.json", "empty")
async def empty(stage: Stage) -> str:
    return await refused(stage, spell=lambda text: b"")


@case("run-file.json", "cut short")
async def cut_short(stage: Stage) -> str:
    return await refused(stage, spell=lambda text: text[:-1].encode())


@case("run-file.json", "more after the object")
async def more_after_the_object(stage: Stage) -> str:
    return await refused(stage, spell=lambda text: f"{text} {{}}".encode())


@case("run-file.json", "a list")
async def a_list(stage: Stage) -> str:
    return await refused(stage, spell=lambda text: f"[{text}]".encode())


@case("run-file.json", "UTF-16")
async def utf_16(stage: Stage) -> str:
    return await refused(stage, spell=lambda text: text.encode("utf-16"))


@case("run-file.json", "NaN and Infinity")
async def not_a_number(stage: Stage) -> str:
    changes = {
        f"verify.timeout_s = {value}": (put("verify.timeout_s", value), ())
        for value in (float("nan"), float("inf"))
    }
    return await each_refused(stage, changes)


@case("run-file.json", "deep")
async def deep(stage: Stage) -> str:
    depth = 200_000

    def spell(text: str) -> bytes:
        return f'{text[:-1]}, "other": {"[" * depth}{"]" * depth}}}'.encode()

    observed = await stage.run(spell=spell)
    if observed.status == 0:
        return f"a field {depth} lists deep is passed over"
    problem = why_not_refused(observed)
    require(problem is None, f"{problem} or a run, with a field {depth} lists deep")
    return f"a field {depth} lists deep is refused"


@case("run-file.json", "another spelling")
async def another_spelling(stage: Stage) -> str:
    """White space, escapes and exponents, all of which JSON allows."""

    def spell(text: str) -> bytes:
        spelled = json.dumps(json.loads(text), indent="\t").replace("\n", "\r\n")
        spelled = spelled.replace('"agents"', '"\\u0061gents"').replace("/", "\\/")
        return spelled.replace('"timeout_s": 10', '"timeout_s": 1.0E+1').encode()

    observed = await stage.run(spell=spell)
    require(observed.status == 0 and observed.outcome().outcome == "passed", observed.ending)
    return "white space, escapes, an exponent: passed"


# run-file.fields


@case("run-file.fields", "missing")
async def missing(stage: Stage) -> str:
    return await each_refused(stage, {f"no {field}": (drop(field), field.split(".")) for field in FIELDS})


@case("run-file.fields", "null")
async def null(stage: Stage) -> str:
    return await each_refused(stage, fields_with(FIELDS, None))


@case("run-file.fields", "a number for a string")
async def a_number_for_a_string(stage: Stage) -> str:
    return await each_refused(stage, fields_with(TEXTS, 7))


@case("run-file.fields", "a string for a number")
async def a_string_for_a_number(stage: Stage) -> str:
    return await each_refused(stage, fields_with((*INTEGERS, *NUMBERS), "1"))


@case("run-file.fields", "true for a number")
async def true_for_a_number(stage: Stage) -> str:
    return await each_refused(stage, fields_with((*INTEGERS, *NUMBERS), True))


@case("run-file.fields", "a fraction for an integer")
async def a_fraction_for_an_integer(stage: Stage) -> str:
    return await each_refused(stage, fields_with(INTEGERS, 1.5))


@case("run-file.fields", "a list for an object")
async def a_list_for_an_object(stage: Stage) -> str:
    return await each_refused(stage, fields_with(OBJECTS, []))


@case("run-file.fields", "another list than one of strings")
async def argv_of_other_types(stage: Stage) -> str:
    return await each_refused(stage, fields_with([ARGV], "python3", {}, [7], ["python3", None]))


@case("run-file.fields", "an environment of other things than strings")
async def environment_of_other_types(stage: Stage) -> str:
    return await each_refused(stage, fields_with(["verify.env"], {"A": 1}, {"A": None}, {"A": ["x"]}))
