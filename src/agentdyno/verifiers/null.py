"""The `null` verifier: a program that does nothing but print the summary of a passing test.

Everything of an attempt but the test itself stays: files, slot, child, pipes, verdict. So it shows the
runtime where `cold` mostly shows pytest. Every attempt with a code block passes; the script's replies without
one still cause retries.
"""

from agentdyno.verifiers.cold import SYSTEM_PATH
from agentdyno.verifiers.verifier import Verifier


def null() -> Verifier:
    """The verifier; `echo` is the smallest program that every Linux has."""
    return Verifier(
        name="null",
        argv=("echo", "1 passed in 0.00s"),
        environment={"PATH": SYSTEM_PATH, "LANG": "C.UTF-8"},
    )
