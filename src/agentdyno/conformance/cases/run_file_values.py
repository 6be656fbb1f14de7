"""Run files: values out of bounds, and fields that are passed over."""

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

from agentdyno.conformance.case import case
from agentdyno.conformance.cases.run_file_fields import (
    ARGV,
    NUMBERS,
    Change,
    each_refused,
    fields_with,
    put,
    why_not_refused,
)
from agentdyno.conformance.rules import require
from agentdyno.conformance.stage import PROMPTS, Stage, task

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


@case("run-file.values", "a base_url with a password, which is not shown")
async def base_url_with_a_password(stage: Stage) -> str:
    observed = await stage.run(change=put("base_url", "http://me:swordfish@127.0.0.1:1/v1"))
    problem = why_not_refused(observed, ["base_url"])
    require(problem is None, str(problem))
    require(b"swordfish" not in observed.stdout + observed.stderr, "the password of base_url is shown")
    return "refused, and the line does not show the password"


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
