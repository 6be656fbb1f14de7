"""A case: one scene that a runtime is put in, and what it must do there."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from agentdyno.conformance.rules import RULES
from agentdyno.conformance.stage import Stage

Play = Callable[[Stage], Coroutine[Any, Any, str]]
"""What a case does; it returns what it saw, in one line, or raises RuleViolation."""

CASES: dict[str, "Case"] = {}
"""Every case by its name, in the order of definition."""


@dataclass(frozen=True, slots=True)
class Case:
    """One scene for one rule. `needs_tools` marks those for a manifest's `tools` command."""

    name: str
    rule: str
    play: Play
    needs_tools: bool = False


def case(rule: str, name: str, *, needs_tools: bool = False) -> Callable[[Play], Play]:
    """Enter a function into the suite, as the case `RULE/NAME`."""
    if all(known.name != rule for known in RULES):
        raise ValueError(f"no rule {rule!r} in rules.py")
    full_name = f"{rule}/{name}"
    if full_name in CASES:
        raise ValueError(f"two cases {full_name!r}")

    def enter(play: Play) -> Play:
        CASES[full_name] = Case(full_name, rule, play, needs_tools)
        return play

    return enter
