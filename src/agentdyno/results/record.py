"""What every record begins with, and the clock that its times are by."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from types import NoneType
from typing import Annotated, Any, get_args, get_type_hints

from agentdyno.analysis.ledger import NS_PER_MS
from agentdyno.errors import UserError
from agentdyno.rundata.cell import Cell
from agentdyno.rundata.raw_run import RawRun

Label = Annotated[str, "one of few"]
"""A text that many records share: a dictionary in Arrow, a category in pandas."""


@dataclass(frozen=True, slots=True)
class Record:
    """The run that a record is of: its cell, and the block in which that was run.

    `control` is empty where the cell was measured for its own sake, else `twin`, `sentinel` or `unsampled`;
    rows of the table are made from the former alone.
    """

    runtime: Label
    agents: int
    verifier: Label
    profile: Label
    control: Label
    block: int


def of_run(cell: Cell, block: int) -> dict[str, Any]:
    """The fields of `Record`."""
    return {**asdict(cell), "block": block}


def since_start(run: RawRun) -> Callable[[int | None], float | None]:
    """What turns a time of the raw files into ms since `run_start`; None where either did not come."""
    t_start = run.events.t_start

    def ms(t: int | None) -> float | None:
        return None if t is None or t_start is None else (t - t_start) / NS_PER_MS

    return ms


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


def not_installed(package: str) -> UserError:
    """What to say where a package that agentdyno itself does without is missing."""
    return UserError(f"this table takes {package}, which is not installed here; pip install {package}")
