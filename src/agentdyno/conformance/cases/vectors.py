"""The contract's vectors, played."""

import base64
import json
from collections.abc import Sequence
from typing import Any

from agentdyno.conformance.violation import require
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
