"""Run files that cannot be used, and those that can although they look odd."""

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from agentdyno.conformance.case import case
from agentdyno.conformance.observation import Observation
from agentdyno.conformance.stage import PROMPTS, Stage, task
from agentdyno.conformance.violation import NotPossible, require

TEXTS = ("tasks_file", "prompts_file", "base_url", "model", "workspaces", "events")
INTEGERS = (
    "contract_version",
    "agents",
    "max_retries",
    "verify.slots",
    "verify.output_limit_bytes",
    "transport.max_retries",
)
NUMBERS = (
    "verify.timeout_s",
    "timeouts.connect_s",
    "timeouts.event_idle_s",
    "timeouts.total_s",
    "transport.base_s",
    "transport.cap_s",
)
OBJECTS = ("request", "verify", "timeouts", "transport", "verify.env")
ARGV = "verify.argv"
FIELDS = (*TEXTS, *INTEGERS, *NUMBERS, *OBJECTS, ARGV)

CANNOT_MOUNT = 77
READ_ONLY = f"""
for run_file do :; done
LLM_API_KEY= mount -t tmpfs -o ro none "$(LLM_API_KEY= dirname "$run_file")/workspaces" || exit {CANNOT_MOUNT}
exec "$@"
"""
"""Starts a runtime where its workspaces folder cannot be written to, not even by root.

What the shell starts before it becomes the runtime is a child as well, and gets no key.
"""

Change = Callable[[dict[str, Any]], None]


def put(field: str, value: object) -> Change:
    """Give a field, named like `verify.timeout_s`, another value."""

    def change(document: dict[str, Any]) -> None:
        *above, name = field.split(".")
        for entry in above:
            document = document[entry]
        document[name] = value

    return change


def drop(field: str) -> Change:
    """Leave a field out."""

    def change(document: dict[str, Any]) -> None:
        *above, name = field.split(".")
        for entry in above:
            document = document[entry]
        del document[name]

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


# run-file.values


@case("run-file.values", "out of bounds")
async def out_of_bounds(stage: Stage) -> str:
    below_one = ("agents", "verify.slots", "verify.output_limit_bytes")
    times = ("verify.timeout_s", "timeouts.connect_s", "timeouts.event_idle_s", "timeouts.total_s")
    counts = ("max_retries", "transport.max_retries", "transport.base_s", "transport.cap_s")
    return await each_refused(
        stage,
        {
            **fields_with((*below_one, *times), 0),
            **fields_with((*below_one, *counts), -1),
            **fields_with((*times, "transport.base_s", "transport.cap_s"), -0.5),
        },
    )


@case("run-file.values", "another contract")
async def another_contract(stage: Stage) -> str:
    return await each_refused(stage, fields_with(["contract_version"], 0, 2))


@case("run-file.values", "base_url")
async def base_urls(stage: Stage) -> str:
    urls = ("", "127.0.0.1:1/v1", "/v1", "ftp://127.0.0.1/v1", "http://", "http:///v1", "http://:80/v1")
    return await each_refused(stage, fields_with(["base_url"], *urls))


@case("run-file.values", "fields of the request that are the runtime's")
async def own_fields_of_the_request(stage: Stage) -> str:
    return await each_refused(
        stage,
        {
            name: (put("request", {name: value}), ["request"])
            for name, value in (("messages", []), ("model", "other"), ("stream", False))
        },
    )


@case("run-file.values", "argv and env that no process can have")
async def argv_and_env(stage: Stage) -> str:
    argvs: list[list[str]] = [[], [""], ["/bin/echo", "a\0b"], ["/bin/ec\0ho"]]
    environments = fields_with(["verify.env"], {"A": "a\0b"})
    return await each_refused(stage, {**fields_with([ARGV], *argvs), **environments})


@case("run-file.values", "a verifier that is not there")
async def no_verifier(stage: Stage) -> str:
    """What the runtime's own PATH holds is of no use where verify.env has another."""
    folder = stage.folder / "programs"
    (folder / "a-folder").mkdir(parents=True)
    (folder / "not-executable").touch(0o644)
    path = str(folder)
    argvs = (["sh"], ["not-executable"], ["a-folder"], [f"{path}/nothing"], [f"{path}/a-folder"])
    changes: dict[str, tuple[Change, Iterable[str]]] = {}
    for argv in argvs:

        def change(document: dict[str, Any], argv: list[str] = argv) -> None:
            document["verify"] |= {"argv": argv, "env": {"PATH": path}}

        changes[f"argv {argv}"] = change, [os.path.basename(argv[0])]
    return await each_refused(stage, changes)


@case("run-file.values", "as large as can be")
async def large_values(stage: Stage) -> str:
    """The contract has no upper bounds, so they are obeyed; a machine's own may be named instead."""

    def spell_with(field: str, literal: str) -> Callable[[str], bytes]:
        def spell(text: str) -> bytes:
            document = json.loads(text)
            put(field, "LITERAL")(document)
            return json.dumps(document).replace('"LITERAL"', literal).encode()

        return spell

    obeyed = 0
    integers = ("agents", "max_retries", "verify.slots", "verify.output_limit_bytes", "transport.max_retries")
    values = [(field, literal) for field in integers for literal in ("2147483648", "1e30", "1" + 30 * "0")]
    values += [(field, literal) for field in NUMBERS for literal in ("1e10", "1e300", "1e999")]
    for field, literal in values:
        observed = await stage.run(spell=spell_with(field, literal))
        if observed.status == 0 and observed.outcome().outcome == "passed":
            obeyed += 1
            continue
        problem = why_not_refused(observed)
        require(problem is None, f"{field} = {literal}: {problem}, or a run in which the task passes")
    return f"{len(values)} values, {obeyed} of them obeyed, the others refused"


@case("run-file.values", "a key that no header can hold")
async def key_that_no_header_can_hold(stage: Stage) -> str:
    key = "sk-conform-a\r\nX-Injected: b"
    observed = await stage.run(key=key)
    problem = why_not_refused(observed, ["LLM_API_KEY"])
    require(problem is None, str(problem))
    require(b"sk-conform-a" not in observed.stderr, f"the key is shown: {observed.stderr!r}")
    return "refused, and not shown"


# run-file.others


@case("run-file.others", "further fields")
async def further_fields(stage: Stage) -> str:
    """In the run file and in all that it names."""

    def change(document: dict[str, Any]) -> None:
        for entry in (document, document["verify"], document["timeouts"], document["transport"]):
            entry |= {"Agents": 7, "comment": None, "x": [{"y": 1.5}], "": "\U0001f600\n"}

    line = {**task("task/1"), "canonical_solution": "x", "difficulty": None, "tags": ["a"]}
    observed = await stage.run(tasks=[line], prompts={**PROMPTS, "note": None, "few_shot": []}, change=change)
    require(observed.status == 0, observed.ending)
    require(observed.outcome().outcome == "passed", f"outcome {observed.outcome().outcome}")
    return "4 further fields in each object, some in the task and the prompts: passed"


# run-file.tasks


@case("run-file.tasks", "not there")
async def tasks_not_there(stage: Stage) -> str:
    return await refused(stage, ["tasks"], change=lambda document: os.unlink(document["tasks_file"]))


@case("run-file.tasks", "a folder")
async def tasks_a_folder(stage: Stage) -> str:
    return await refused(stage, change=lambda document: document.update(tasks_file=str(stage.notes)))


@case("run-file.tasks", "none")
async def no_tasks(stage: Stage) -> str:
    return await refused(stage, ["tasks"], tasks=[])


@case("run-file.tasks", "a broken line")
async def a_broken_line(stage: Stage) -> str:
    good = json.dumps(task("task/1")).encode()
    other = json.dumps(task("task/3")).encode()
    lines = {
        "cut short": good[:-1],
        "not JSON": b"task/2",
        "a list": b"[]",
        "no UTF-8": good.replace(b"task/1", b"task/\xff"),
        "UTF-16": good.decode().encode("utf-16"),
    }
    return await each_refused(
        stage,
        {
            what: (write("tasks_file", b"\n".join([good, line, other, b""])), ["tasks"])
            for what, line in lines.items()
        },
    )


@case("run-file.tasks", "a field missing or of another type")
async def fields_of_tasks(stage: Stage) -> str:
    changes: dict[str, tuple[Change, Iterable[str]]] = {}
    for name in task("task/1"):
        without = {field: value for field, value in task("task/2").items() if field != name}
        for what, line in ((f"no {name}", without), (f"{name} = null", {**without, name: None})):
            lines = "".join(json.dumps(entry) + "\n" for entry in (task("task/1"), line))
            changes[what] = write("tasks_file", lines.encode()), [name]
    changes["prompt = 7"] = (
        write("tasks_file", json.dumps({**task("task/1"), "prompt": 7}).encode()),
        ["prompt"],
    )
    return await each_refused(stage, changes)


@case("run-file.tasks", "line ends")
async def line_ends(stage: Stage) -> str:
    """JSON lines end in LF: none is needed at the end, CR is white space, and U+2028 is a character."""
    tests = "\u2028\u2029\u0085\x0b\x0c"
    lines = [json.dumps(task(f"task/{number}", tests=tests), ensure_ascii=False) for number in (1, 2, 3)]
    content = "\r\n".join(lines).encode()
    observed = await stage.run(tasks=["task/1", "task/2", "task/3"], change=write("tasks_file", content))
    require(observed.status == 0, observed.ending)
    outcomes = [observed.outcome(f"task/{number}").outcome for number in (1, 2, 3)]
    require(outcomes == ["passed"] * 3, f"outcomes {outcomes}")
    return "3 lines, CRLF between them and nothing at the end: passed"


# run-file.prompts


@case("run-file.prompts", "not there")
async def prompts_not_there(stage: Stage) -> str:
    return await refused(stage, ["prompts"], change=lambda document: os.unlink(document["prompts_file"]))


@case("run-file.prompts", "broken")
async def prompts_broken(stage: Stage) -> str:
    contents = {
        "empty": b"",
        "no JSON": b"{",
        "a list": b"[]",
        "UTF-16": json.dumps(PROMPTS).encode("utf-16"),
    }
    return await each_refused(
        stage, {what: (write("prompts_file", content), ["prompts"]) for what, content in contents.items()}
    )


@case("run-file.prompts", "a field missing or of another type")
async def fields_of_prompts(stage: Stage) -> str:
    changes: dict[str, tuple[Change, Iterable[str]]] = {}
    for name in ("system", "user", "tests_failed", "timed_out", "no_code"):
        without = {field: value for field, value in PROMPTS.items() if field != name}
        for what, content in (
            (f"no {name}", without),
            (f"{name} = null", {**without, name: None}),
            (f"{name} a list", {**without, name: ["x"]}),
        ):
            changes[what] = write("prompts_file", json.dumps(content).encode()), [name]
    return await each_refused(stage, changes)


# run-file.workspaces


@case("run-file.workspaces", "not there")
async def workspaces_not_there(stage: Stage) -> str:
    return await refused(stage, ["workspaces"], change=lambda document: os.rmdir(document["workspaces"]))


@case("run-file.workspaces", "a file")
async def workspaces_a_file(stage: Stage) -> str:
    def change(document: dict[str, Any]) -> None:
        os.rmdir(document["workspaces"])
        Path(document["workspaces"]).write_text("x")

    return await refused(stage, ["workspaces"], change=change)


@case("run-file.workspaces", "not writable")
async def workspaces_not_writable(stage: Stage) -> str:
    if os.geteuid() != 0:
        return await refused(stage, ["workspaces"], change=lambda d: os.chmod(d["workspaces"], 0o555))
    observed = await stage.run(through=["unshare", "--mount", "sh", "-c", READ_ONLY, "sh"])
    if observed.status == CANNOT_MOUNT or b"unshare" in observed.stderr:
        raise NotPossible("root can write to every folder, and may not mount one read-only here")
    problem = why_not_refused(observed, ["workspaces"])
    require(problem is None, str(problem))
    return "a folder on a read-only file system is refused"


# run-file.events


@case("run-file.events", "there already")
async def events_there_already(stage: Stage) -> str:
    changes = {"empty": b"", "one line": b'{"event": "run_start"}\n'}
    for what, content in changes.items():

        def change(document: dict[str, Any], content: bytes = content) -> None:
            document["events"] += "-there"
            Path(document["events"]).write_bytes(content)

        observed = await stage.run(change=change)
        problem = why_not_refused(observed, ["events"])
        require(problem is None, f"an event file that is there, {what}: {problem}")
        now = observed.event_file.read_bytes()
        require(now == content, f"what was in the event file, {content!r}, is now {now[:80]!r}")
    return "refused, and left as it is"


@case("run-file.events", "in a folder that is not there")
async def events_in_no_folder(stage: Stage) -> str:
    return await refused(
        stage, ["events"], change=lambda document: document.update(events=f"{stage.folder}/no/folder/events")
    )


@case("run-file.events", "a folder")
async def events_a_folder(stage: Stage) -> str:
    return await refused(stage, ["events"], change=lambda d: d.update(events=str(stage.notes)))
