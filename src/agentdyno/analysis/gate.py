"""A gate: a yes/no check that decides whether the figures of a row are valid.

Each gate speaks of some kinds of figures, and says nothing of the others: an endpoint that was late spoils
times, and no memory.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from agentdyno.analysis.joins import Joined
from agentdyno.analysis.ledger import Entry
from agentdyno.analysis.metric import Kind
from agentdyno.format import listed, printable
from agentdyno.rundata.columns import Columns
from agentdyno.rundata.raw_run import RawRun

Figures = Mapping[str, float | None]
"""The values of a run's metrics by name."""


ALL = tuple(kind for kind in Kind if kind is not Kind.INSTRUMENT)
"""What a run says of its runtime. The instrument's own figures are never invalid: they say why others are."""


def are_all(kinds: Iterable[Kind]) -> bool:
    """Whether these kinds leave no figure of the runtime out."""
    return set(kinds) >= set(ALL)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a gate checks: one run, its ledger and its metrics, what was joined for the ledger, and the
    digests of its requests.
    """

    run: RawRun
    entries: Columns[Entry]
    figures: Figures
    joined: Joined
    requests: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Failure:
    """The failure of a gate: its reason, and a remedy.

    `run` is the number of the block, None where the failure concerns the whole experiment. Only a runtime or
    a bug in agentdyno can cause a fault (`is_fault`). A busy machine or a small experiment can cause the
    other failures: nothing is broken. The row's figures of these `kinds` are not valid.
    """

    gate: str
    run: int | None
    reason: str
    remedy: str
    is_fault: bool
    kinds: list[Kind] = field(default_factory=lambda: list(ALL))

    def __post_init__(self) -> None:
        """A reason may quote a runtime, and what a runtime says must not drive the reader's terminal."""
        object.__setattr__(self, "reason", printable(self.reason))

    @property
    def concerns(self) -> str:
        """The kinds of figures in words; empty if the failure concerns all."""
        return "" if are_all(self.kinds) else listed([str(kind) for kind in self.kinds])

    @property
    def line(self) -> str:
        """The failure as printed, in one line."""
        where = "" if self.run is None else f"run {self.run}: "
        remedy = f": {self.remedy}" if self.remedy else ""
        return " ".join(f"{where}{self.reason}{remedy}".split())


@dataclass(frozen=True, slots=True)
class Gate:
    """One check of one run: `ask` returns the reasons for a failure, none if the run passes.

    Runs of versions before `since` did not write down what the gate checks.
    """

    name: str
    ask: Callable[[Evidence], list[str]]
    remedy: str
    is_fault: bool = True
    kinds: tuple[Kind, ...] = ALL
    since: str | None = None

    def failures(self, evidence: Evidence) -> list[Failure]:
        """The failures of this gate in one run."""
        if self.since is not None and evidence.run.is_of_0_1:
            return []
        kinds = [kind for kind in Kind if kind in self.kinds]
        return [
            Failure(self.name, evidence.run.block, reason, self.remedy, self.is_fault, kinds)
            for reason in self.ask(evidence)
        ]
