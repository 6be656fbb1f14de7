"""What a run file names: tasks, prompts, workspaces and events that cannot be used."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from agentdyno.conformance.case import case
from agentdyno.conformance.cases.run_file_fields import Change, each_refused, refused, why_not_refused, write
from agentdyno.conformance.rules import NotPossible, require
from agentdyno.conformance.stage import PROMPTS, Stage, task

CANNOT_MOUNT = 77
READ_ONLY = f"""
for run_file do :; done
LLM_API_KEY= mount -t tmpfs -o ro none "$(LLM_API_KEY= dirname "$run_file")/workspaces" || exit {CANNOT_MOUNT}
exec "$@"
"""
"""Starts a runtime where its workspaces folder cannot be written to, not even by root.

What the shell starts before it becomes the runtime is a child as well, and gets no key.
"""


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
