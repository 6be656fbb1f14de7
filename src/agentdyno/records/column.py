"""The columns that a kind of record makes."""

from dataclasses import dataclass
from types import NoneType
from typing import Any, get_args, get_type_hints

from agentdyno.errors import Refusal
from agentdyno.records.record import Record

UNITS = {"ms": "ms", "s": "s", "kib": "KiB"}
"""Units by what names end in."""


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a kind of record; `holds` is `Label`, or the type of its values."""

    name: str
    holds: Any
    can_be_none: bool

    @property
    def unit(self) -> str | None:
        """What its numbers are, where its name says so."""
        return UNITS.get(self.name.rpartition("_")[2])


def columns(kind: type[Record]) -> list[Column]:
    """The fields of a kind, in their order."""
    found = []
    for name, hint in get_type_hints(kind, include_extras=True).items():
        can_be_none = NoneType in get_args(hint)
        holds = get_args(hint)[0] if can_be_none else hint
        found.append(Column(name, holds, can_be_none))
    return found


def not_installed(package: str) -> Refusal:
    """What to say where a package that agentdyno itself does without is missing."""
    return Refusal(f"this table takes {package}, which is not installed here; pip install {package}")
