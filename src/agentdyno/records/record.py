"""What every record begins with, and the clock that its times are by."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from agentdyno.analysis.ledger import NS_PER_MS
from agentdyno.analysis.run_data import RunData
from agentdyno.experiment.cell import Cell

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


def since_start(run: RunData) -> Callable[[int | None], float | None]:
    """What turns a time of the raw files into ms since `run_start`; None where either did not come."""
    t_start = run.events.t_start

    def ms(t: int | None) -> float | None:
        return None if t is None or t_start is None else (t - t_start) / NS_PER_MS

    return ms
