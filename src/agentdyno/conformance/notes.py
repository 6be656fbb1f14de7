"""Code under verification that notes what it finds, for the case to read."""

import asyncio
import json
import time
from typing import Any

from agentdyno.conformance.stage import Stage
from agentdyno.conformance.violation import RuleViolation
from agentdyno.measure import proc

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
