"""A gate: a yes/no check that decides whether a row is valid."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agentdyno.analysis.ledger import Entry
from agentdyno.format import printable
from agentdyno.rundata.columns import Columns
from agentdyno.rundata.raw_run import RawRun

Figures = Mapping[str, float | None]
"""The values of a run's metrics by name."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a gate checks: one run, its ledger and its metrics."""

    run: RawRun
    entries: Columns[Entry]
    figures: Figures


@dataclass(frozen=True, slots=True)
class Failure:
    """The failure of a gate: its reason, and a remedy.

    `run` is the number of the block, None where the failure concerns the whole experiment. Only a runtime or
    a bug in agentdyno can cause a fault (`is_fault`). A busy machine or a small experiment can cause the
    other failures: the row is not valid, but nothing is broken.
    """

    gate: str
    run: int | None
    reason: str
    remedy: str
    is_fault: bool

    def __post_init__(self) -> None:
        """A reason may quote a runtime, and what a runtime says must not drive the reader's terminal."""
        object.__setattr__(self, "reason", printable(self.reason))

    @property
    def line(self) -> str:
        """The failure as printed, in one line."""
        where = "" if self.run is None else f"run {self.run}: "
        remedy = f": {self.remedy}" if self.remedy else ""
        return " ".join(f"{where}{self.reason}{remedy}".split())


@dataclass(frozen=True, slots=True)
class Gate:
    """One check of one run: `ask` returns the reasons for a failure, none if the run passes."""

    name: str
    ask: Callable[[Evidence], list[str]]
    remedy: str
    is_fault: bool = True

    def failures(self, evidence: Evidence) -> list[Failure]:
        """The failures of this gate in one run."""
        return [
            Failure(self.name, evidence.run.block, reason, self.remedy, self.is_fault)
            for reason in self.ask(evidence)
        ]
