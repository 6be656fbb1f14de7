"""Who takes least, and who else cannot be told from it."""

from collections.abc import Sequence
from dataclasses import dataclass

from agentdyno.analysis.difference import Difference, Group
from agentdyno.analysis.registry import METRICS, MetricDefinition
from agentdyno.results.experiment import Experiment
from agentdyno.results.groups import competing, group
from agentdyno.results.summary import Row
from agentdyno.rundata.cell import AA_CONTROL, Cell

NULL = "null"
"""The verifier that runs no tests, and so shows the runtime alone."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """What a runtime may be picked by; less is better.

    It is taken with the tests running (`of_tests`), or where it can be had without them.
    """

    metric: MetricDefinition
    name: str
    best: str
    of_tests: bool


CRITERIA = (
    Criterion(METRICS["peak_rss_mib"], "memory", "least memory", of_tests=True),
    Criterion(METRICS["overhead_ms_p50"], "overhead", "lowest overhead", of_tests=False),
    Criterion(METRICS["cpu_s_per_task"], "processor time", "least processor time", of_tests=False),
)


@dataclass(frozen=True, slots=True)
class Place:
    """One runtime's figure, in the metric's own unit; `least_over_this` is the least figure as a share of it,
    and `over_best_other` how many times the best of the others it is, as a 95% CI, None with too few runs.
    """

    row: Row
    figure: float
    least_over_this: Difference | None
    over_best_other: tuple[float, float] | None

    @property
    def runtime(self) -> str:
        """Its name."""
        return self.row.cell.runtime


@dataclass(frozen=True, slots=True)
class Ranking:
    """Rows that compete by one criterion at one number of agents, least first; `group` says which differ."""

    criterion: Criterion
    agents: int
    verifier: str
    places: list[Place]
    group: Group[Cell]

    @property
    def leaders(self) -> list[Place]:
        """Those that no other surely takes less than: all of them where none can be told from another."""
        led = set(self.group.leaders)
        return [place for place in self.places if place.row.cell in led] or self.places

    @property
    def next(self) -> Place | None:
        """The first that is none of the leaders."""
        leaders = self.leaders
        return next((place for place in self.places if place not in leaders), None)

    @property
    def is_sure(self) -> bool:
        """Whether there are blocks enough to tell anything."""
        return self.group.can_tell


def rankings(experiment: Experiment) -> list[Ranking]:
    """One for each number of agents and criterion for which there is a figure; `floor` is no contender."""
    contenders = competing(experiment.rows)
    found = []
    for agents in sorted({row.cell.agents for row in contenders}):
        for criterion in CRITERIA:
            its = [row for row in contenders if row.cell.agents == agents]
            verifier = _verifier(its, criterion)
            rows = [row for row in its if row.cell.verifier == verifier]
            compared = group(experiment, rows[0].cell, criterion.metric.name)
            if places := _places(compared, criterion, rows):
                found.append(Ranking(criterion, agents, verifier, places, compared))
    return found


def aa_difference(experiment: Experiment, metric: str) -> float | None:
    """By how much, as a share, a runtime differed from itself in the A/A control, by the median of its pairs;
    None where there is no such control.
    """
    return next(
        (
            max(ratio, 1 / ratio) - 1
            for comparison in experiment.summary.comparisons
            if comparison.control == AA_CONTROL and (ratio := comparison.ratios[metric].median)
        ),
        None,
    )


def _verifier(rows: Sequence[Row], criterion: Criterion) -> str:
    names = list(dict.fromkeys(row.cell.verifier for row in rows))
    return next((name for name in names if (name != NULL) == criterion.of_tests), names[0])


def _places(compared: Group[Cell], criterion: Criterion, rows: Sequence[Row]) -> list[Place]:
    medians = {
        row.cell: median for row in rows if (median := row.metrics[criterion.metric.name].median) is not None
    }
    there = sorted((row for row in rows if row.cell in medians), key=lambda row: medians[row.cell])
    return [
        Place(
            row,
            medians[row.cell],
            compared.differences.get((there[0].cell, row.cell)),
            compared.over_best_other(row.cell) if row.cell in compared.rows else None,
        )
        for row in there
    ]
