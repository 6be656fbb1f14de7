"""What a gate is: a yes/no question that decides whether a row is valid."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agentdyno.analysis.ledger import Entry
from agentdyno.rundata.raw_run import RawRun

Figures = Mapping[str, float | None]
"""A run's metrics by name."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a gate may look at: one run, its ledger and its figures."""

    run: RawRun
    entries: Sequence[Entry]
    figures: Figures


@dataclass(frozen=True, slots=True)
class Failure:
    """A gate's no: why, and what to do about it.

    `run` is the number of the block, None where it is about the experiment as a whole. A fault is something
    that only a runtime or a bug of ours can cause; anything else a busy machine or a small experiment can
    cause as well: the row is not valid, but nothing is broken.
    """

    gate: str
    run: int | None
    reason: str
    remedy: str
    is_fault: bool

    @property
    def line(self) -> str:
        """As it is printed, in one line."""
        where = "" if self.run is None else f"run {self.run}: "
        remedy = f": {self.remedy}" if self.remedy else ""
        return " ".join(f"{where}{self.reason}{remedy}".split())


@dataclass(frozen=True, slots=True)
class Gate:
    """One question asked of one run: `ask` gives the reasons for a no, and nothing for a yes."""

    name: str
    ask: Callable[[Evidence], list[str]]
    remedy: str
    is_fault: bool = True

    def failures(self, evidence: Evidence) -> list[Failure]:
        """The noes."""
        return [
            Failure(self.name, evidence.run.block, reason, self.remedy, self.is_fault)
            for reason in self.ask(evidence)
        ]
