"""One run of an experiment, by the folder that it lies in."""

from dataclasses import dataclass
from pathlib import Path

from agentdyno.analysis.ledger import Entry, entries
from agentdyno.errors import UserError
from agentdyno.rundata import raw_run
from agentdyno.rundata.cell import Cell
from agentdyno.rundata.raw_run import RawRun


@dataclass(frozen=True, slots=True)
class Run:
    """One run, whose events, journal and samples lie in `folder`."""

    folder: Path
    cell: Cell
    block: int

    def ledger(self) -> list[Entry]:
        """The ledger of each of its attempts that has one."""
        return entries(self.read())

    def read(self) -> RawRun:
        """Everything known of it. A UserError where its files are gone or cannot be read any more."""
        try:
            return raw_run.read(self.folder, self.cell, self.block)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{self.folder}: cannot be read any more ({error}); name results whose runs are whole",
                status=1,
            ) from None
