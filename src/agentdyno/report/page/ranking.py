"""Who takes least, and who else cannot be told from it."""

from collections.abc import Sequence
from dataclasses import dataclass

from agentdyno.analysis.ratio import Ratio, paired
from agentdyno.analysis.reference import FLOOR
from agentdyno.results.experiment import Experiment
from agentdyno.results.summary import Row
from agentdyno.rundata.cell import AA_CONTROL

NULL = "null"
"""The verifier that runs no tests, and so shows the runtime alone."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """What a runtime may be picked by. `metric` times `scale` is in `unit`; less is better.

    It is taken with the tests running (`of_tests`), or where it can be had without them.
    """

    metric: str
    scale: float
    unit: str
    name: str
    best: str
    of_tests: bool


CRITERIA = (
    Criterion("peak_rss_mib", 1, "MiB", "memory", "least memory", of_tests=True),
    Criterion("overhead_ms_p50", 1, "ms", "overhead", "lowest overhead", of_tests=False),
    Criterion("cpu_s_per_task", 1000, "ms/task", "processor time", "least processor time", of_tests=False),
)


@dataclass(frozen=True, slots=True)
class Place:
    """One runtime's figure, in the criterion's unit, and the least figure as a share of it, paired by block.

    `is_told_apart` says whether the least one is truly less; None where too few runs were made to say.
    """

    row: Row
    figure: float
    ratio: Ratio
    is_told_apart: bool | None

    @property
    def runtime(self) -> str:
        """Its name."""
        return self.row.cell.runtime


@dataclass(frozen=True, slots=True)
class Ranking:
    """Contenders whose rows can be used, by one criterion at one number of agents, least first."""

    criterion: Criterion
    agents: int
    verifier: str
    places: list[Place]

    @property
    def leaders(self) -> list[Place]:
        """The first, and those that measurably differ from it in nothing."""
        return [place for place in self.places if place is self.places[0] or place.is_told_apart is False]

    @property
    def next(self) -> Place | None:
        """The first that is none of them."""
        leaders = self.leaders
        return next((place for place in self.places if place not in leaders), None)

    @property
    def is_sure(self) -> bool:
        """Whether there are intervals."""
        return all(place.ratio.ci95 is not None for place in self.places[1:])


def rankings(experiment: Experiment) -> list[Ranking]:
    """One for each number of agents and criterion for which there is a figure; `floor` is no contender."""
    contenders = [row for row in experiment.summary.rows if row.cell.runtime != FLOOR and _is_usable(row)]
    found = []
    for agents in sorted({row.cell.agents for row in contenders}):
        for criterion in CRITERIA:
            its = [row for row in contenders if row.cell.agents == agents]
            verifier = _verifier(its, criterion)
            places = _places(experiment, criterion, [row for row in its if row.cell.verifier == verifier])
            if places:
                found.append(Ranking(criterion, agents, verifier, places))
    return found


def resolution(experiment: Experiment, metric: str) -> float | None:
    """By how much, as a share, the runtime that was entered twice differed from itself (A/A control); None
    where none was. A difference that is no larger means nothing.
    """
    return next(
        (
            max(ratio, 1 / ratio) - 1
            for comparison in experiment.summary.comparisons
            if comparison.control == AA_CONTROL and (ratio := comparison.ratios[metric].median)
        ),
        None,
    )


def _is_usable(row: Row) -> bool:
    """Whether nothing stands against it but a control: what that shows is what differences are held to."""
    return all(failure.run is None for failure in row.failures)


def _verifier(rows: Sequence[Row], criterion: Criterion) -> str:
    names = list(dict.fromkeys(row.cell.verifier for row in rows))
    return next((name for name in names if (name != NULL) == criterion.of_tests), names[0])


def _places(experiment: Experiment, criterion: Criterion, rows: Sequence[Row]) -> list[Place]:
    medians = {
        row.cell: median for row in rows if (median := row.metrics[criterion.metric].median) is not None
    }
    there = sorted((row for row in rows if row.cell in medians), key=lambda row: medians[row.cell])
    differs = resolution(experiment, criterion.metric) or 0.0
    blocks = {row.cell: experiment.by_block(row.cell, criterion.metric) for row in there}
    ratios = [paired(blocks[there[0].cell], blocks[row.cell]) for row in there]
    return [
        Place(row, medians[row.cell] * criterion.scale, ratio, _told_apart(ratio, differs))
        for row, ratio in zip(there, ratios, strict=True)
    ]


def _told_apart(least: Ratio, differs: float) -> bool | None:
    """Whether a ratio below 1 is more than a runtime differs from itself, and more than chance, by its
    interval.
    """
    if least.median is None:
        return None
    if least.median * (1 + differs) >= 1:
        return False
    return None if least.ci95 is None else least.ci95[1] < 1
