"""The vectors of extraction, verdicts and feedback, played in whole runs."""

import base64
import json
from collections.abc import Sequence
from typing import Any

from agentdyno.conformance.case import case
from agentdyno.conformance.endpoint import Exchange
from agentdyno.conformance.rules import require
from agentdyno.conformance.stage import PROMPTS, Stage, task
from agentdyno.project import CONTRACT

Vector = dict[str, Any]


AGENTS = 4


def vectors(name: str) -> list[Vector]:
    """The vectors of one file."""
    found: list[Vector] = json.loads((CONTRACT / "vectors" / name).read_text())
    return found


def content(vector: Vector, name: str) -> bytes:
    """A field that is text, or Base64 of what is none."""
    encoded = vector.get(f"{name}_base64")
    return vector[name].encode() if encoded is None else base64.b64decode(encoded)


def all_right(wrong: Sequence[str], played: int, things: str = "vectors") -> str:
    """The evidence, or RuleViolation."""
    require(not wrong, f"{len(wrong)} of {played} {things}, {'; '.join(wrong[:2])}")
    return f"{played} {things}"


KEEP_THE_CODE = 'cp solution.py "$0/$(cat test_solution.py)" && echo 1 passed in 0.00s'

END = """import os, resource, sys, time
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
sys.stdout.buffer.write({stdout!r})
sys.stdout.flush()
{end}
"""

PRINT = """import os, sys
for stream, output in ((sys.stdout, {stdout!r}), (sys.stderr, {stderr!r})):
    stream.buffer.write(output.replace({workspace!r}, os.getcwdb()))
    stream.flush()
sys.exit(1)
"""

ODD_FOLDER = "a+b (1) [x] grüß"
"""A folder's name that is no pattern for itself."""


@case("extraction.vectors", "all")
async def extraction(stage: Stage) -> str:
    """The verifier keeps what it finds in solution.py."""
    known = {vector["name"]: vector for vector in vectors("extraction.json")}

    async def answer(exchange: Exchange) -> None:
        await exchange.reply(known[exchange.request.task]["reply"])

    tasks = [
        task(name, tests=str(number)) | {"entry_point": vector["entry_point"]}
        for number, (name, vector) in enumerate(known.items())
    ]
    observed = await stage.run(
        answer,
        tasks=tasks,
        agents=AGENTS,
        max_retries=0,
        verify={"argv": ["/bin/sh", "-c", KEEP_THE_CODE, str(stage.notes)]},
    )
    wrong = []
    for number, (name, vector) in enumerate(known.items()):
        expected = vector["expected"]
        kept = stage.notes / str(number)
        found = kept.read_bytes() if kept.exists() else None
        if found != (None if expected is None else expected.encode()):
            wrong.append(f"{name}: {found!r} in solution.py, expected {expected!r}")
        elif (verdict := observed.attempt(1, name).verdict) != ("no_code" if expected is None else "passed"):
            wrong.append(f"{name}: verdict {verdict}")
    return all_right(wrong, len(known))


@case("verdicts.vectors", "ended")
async def verdicts_of_what_ended(stage: Stage) -> str:
    return await verdicts(stage, [vector for vector in vectors("verdicts.json") if not vector["timed_out"]])


@case("verdicts.vectors", "stopped")
async def verdicts_of_what_was_stopped(stage: Stage) -> str:
    stopped = [vector for vector in vectors("verdicts.json") if vector["timed_out"]]
    return await verdicts(stage, stopped, timeout_s=0.5)


async def verdicts(stage: Stage, chosen: list[Vector], timeout_s: float = 10) -> str:
    """The code prints what the vector says and comes to the end that it says."""
    known = {vector["name"]: vector for vector in chosen}

    async def answer(exchange: Exchange) -> None:
        vector = known[exchange.request.task]
        if vector["timed_out"]:
            end = "time.sleep(60)"
        elif vector["signal"] is not None:
            end = f"os.kill(os.getpid(), {vector['signal']})"
        else:
            end = f"os._exit({vector['exit_code']})"
        await exchange.code(END.format(stdout=content(vector, "stdout"), end=end))

    observed = await stage.run(
        answer, tasks=list(known), agents=AGENTS, max_retries=0, verify={"timeout_s": timeout_s}
    )
    wrong = []
    for name, vector in known.items():
        attempt = observed.attempt(1, name)
        ended = {field: getattr(attempt, field) for field in ("exit_code", "signal", "timed_out", "verdict")}
        expected = {**vector, "verdict": vector["expected"]}
        wrong += [
            f"{name}: {field} {value}, expected {expected[field]}"
            for field, value in ended.items()
            if value != expected[field]
        ]
    return all_right(wrong, len(known))


@case("feedback.vectors", "all")
async def feedback_of_all(stage: Stage) -> str:
    return await feedback(stage, vectors("feedback.json"))


@case("feedback.vectors", "odd folder")
async def feedback_with_an_odd_folder(stage: Stage) -> str:
    """What names the workspace, once more, in a folder with a name that is no pattern for itself."""
    naming = [
        vector
        for vector in vectors("feedback.json")
        if vector["workspace"].encode() in content(vector, "stdout")
    ]
    return await feedback(stage, naming, ODD_FOLDER)


async def feedback(stage: Stage, chosen: list[Vector], workspaces: str = "workspaces") -> str:
    """The code prints the vector's output with the real workspace in it, the next request holds what became
    of it.
    """
    known = {vector["name"]: vector for vector in chosen}

    async def answer(exchange: Exchange) -> None:
        if exchange.request.attempt > 1:
            await exchange.reply("That is all.")
            return
        vector = known[exchange.request.task]
        await exchange.code(
            PRINT.format(
                stdout=content(vector, "stdout"),
                stderr=content(vector, "stderr"),
                workspace=vector["workspace"].encode(),
            )
        )

    observed = await stage.run(answer, tasks=list(known), agents=AGENTS, max_retries=1, workspaces=workspaces)
    wrong = []
    for name, vector in known.items():
        requests = observed.of(name)
        if len(requests) != 2:
            wrong.append(f"{name}: {len(requests)} requests, expected 2; {observed.ending}")
            continue
        said = requests[1].messages[-1]["content"]
        expected = str(PROMPTS["tests_failed"]).replace("{output}", vector["expected"])
        if said != expected:
            wrong.append(f"{name}: {difference(said, expected)}")
    return all_right(wrong, len(known))


def difference(found: str, expected: str) -> str:
    """Where two texts part, with a little of both."""
    at = next(
        (i for i, (one, other) in enumerate(zip(found, expected, strict=False)) if one != other),
        min(len(found), len(expected)),
    )
    start = max(0, at - 20)
    return (
        f"{found[start : at + 30]!r} at character {at} of {len(found)}, "
        f"expected {expected[start : at + 30]!r} of {len(expected)}"
    )
