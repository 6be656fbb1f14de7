"""Run files: their JSON, and fields of wrong types."""

import json
from typing import Any

from agentdyno.conformance.case import case
from agentdyno.conformance.cases.run_file import (
    ARGV,
    NUMBERS,
    Change,
    each_refused,
    fields_with,
    put,
    refused,
    why_not_refused,
)
from agentdyno.conformance.stage import Stage
from agentdyno.conformance.violation import require

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
