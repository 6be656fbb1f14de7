"""What several cases require of values, attempts and tries; and verified code that notes what it finds."""

import asyncio
import json
import time
from typing import Any

from agentdyno.conformance.endpoint import Answer, Exchange
from agentdyno.conformance.invariants import Observation
from agentdyno.conformance.rules import RuleViolation, require
from agentdyno.conformance.stage import Stage, passing
from agentdyno.measure import proc
from agentdyno.rundata.events import Attempt, TaskOutcome

PRELUDE = """
import json, os, signal, sys, time

def note(name, value):
    path = os.path.join(NOTES, name)
    with open(path + ".part", "w") as file:
        json.dump(value, file)
    os.rename(path + ".part", path)

def wait_for(*names):
    while not all(os.path.exists(os.path.join(NOTES, name)) for name in names):
        time.sleep(0.005)
"""

PASSED = "print('1 passed in 0.00s', flush=True)\n"
"""Code that gets the verdict `passed`, whatever comes after it."""

DYING_S = 5.0
"""How long a process that was killed may take to be gone; the kernel needs moments, a busy machine more."""


def limited_files(kib: int) -> list[str]:
    """A command that bounds the size of the files which its process writes, and then becomes the runtime."""
    # Not Python, which would hand on SIGXFSZ ignored. The shell counts in blocks of 512 bytes.
    return ["sh", "-c", f'ulimit -f {2 * kib} && exec "$@"', "sh"]


def noting(stage: Stage, body: str) -> str:
    """A Python module that may say `note(NAME, VALUE)` and `wait_for(NAME, …)`."""
    return f"NOTES = {str(stage.notes)!r}\n{PRELUDE}\n{body}"


def is_noted(stage: Stage, name: str) -> bool:
    """Whether the code has noted something under that name."""
    return (stage.notes / name).exists()


def noted(stage: Stage, name: str) -> Any:
    """What the code has noted; raises RuleViolation when it has not."""
    try:
        return json.loads((stage.notes / name).read_text())
    except FileNotFoundError:
        raise RuleViolation(f"the code under verification did not come to note {name!r}") from None


def tell(stage: Stage, name: str) -> None:
    """Let code that waits for this go on."""
    (stage.notes / name).touch()


def is_alive(pid: int) -> bool:
    """Whether there is such a process and it has not ended."""
    process = proc.read(pid)
    return process is not None and not process.is_zombie


async def still_alive(pids: list[int]) -> list[int]:
    """Those that are alive although they have been given time to die."""
    end = time.monotonic() + DYING_S
    while True:
        left = [pid for pid in pids if is_alive(pid)]
        if not left or time.monotonic() > end:
            return left
        await asyncio.sleep(0.005)


EARLY_S = 0.01
"""How much too early a timer may ring: event loops count in milliseconds, and from when they last looked."""


def same(found: object, expected: object, what: str = "") -> None:
    """Require that two things are equal."""
    shown, wanted = (text if len(text) < 200 else text[:200] + "…" for text in (repr(found), repr(expected)))
    require(found == expected, f"{what + ': ' if what else ''}{shown}, expected {wanted}")


def once(answer: Answer) -> Answer:
    """Answer the first try of every completion like this, and the others with code that passes."""

    async def answer_once(exchange: Exchange) -> None:
        await (answer if exchange.request.number == 1 else passing)(exchange)

    return answer_once


def recovered(
    observed: Observation, task: str = "task/1", *, tries: int = 2, attempt: int = 1, verdict: str = "passed"
) -> None:
    """Require that the attempt took just that many tries, counted them, and got its verdict."""
    where = f"attempt {attempt} of {task}"
    requests = [request for request in observed.of(task) if request.attempt == attempt]
    event = observed.attempt(attempt, task)
    reason = f" ({event.reason})" if event.reason else ""
    require(len(requests) == tries, f"{where}: {len(requests)} requests, expected {tries}{reason}")
    retries = event.transport_retries
    require(retries == tries - 1, f"{where}: transport_retries {retries} with {tries} requests")
    require(event.verdict == verdict, f"{where}: verdict {event.verdict}{reason}, expected {verdict}")


def time_of(attempt: Attempt, phase: str) -> int:
    """The time of a phase of an attempt; raises RuleViolation when it is null."""
    t = getattr(attempt, phase)
    if t is None:
        raise RuleViolation(
            f"{phase} of attempt {attempt.attempt} of {attempt.task} is null; {attempt.reason}"
        )
    return int(t)


def given_up(observed: Observation, requests: int, task: str = "task/1") -> TaskOutcome:
    """Require that the task's first completion was given up after that many requests, with a reason."""
    outcome, attempt, sent = observed.outcome(task), observed.attempt(task=task), len(observed.of(task))
    require(sent == requests, f"{task}: {sent} requests, expected {requests}; reason {outcome.reason!r}")
    require(outcome.outcome == "error", f"{task}: outcome {outcome.outcome}, expected error")
    require(outcome.attempts == 1, f"{task}: {outcome.attempts} attempts, expected 1")
    require(attempt.verdict == "error", f"{task}: verdict {attempt.verdict}, expected error")
    for event, reason in (("task", outcome.reason), ("attempt", attempt.reason)):
        one_line = reason is not None and reason.strip() and len(reason.splitlines()) == 1
        require(bool(one_line), f"{task}: reason {reason!r} in the {event} event is not one line")
    return outcome
