"""How many times one runtime's figure another's is, and how sure that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agentdyno.analysis.statistics import interval, interval_of_ratio, median


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure over another: the median, its 95% interval, None with too few runs, and every pair's ratio.

    `values` is empty where the two figures' runs are not pairs.
    """

    median: float | None
    ci95: tuple[float, float] | None
    values: list[float | None]


def quotient(figure: float | None, other: float | None) -> float | None:
    """One figure divided by another; None where one is missing, or the other is nothing."""
    return figure / other if figure is not None and other else None


def of_pairs(values: Sequence[float | None]) -> Ratio:
    """The ratio that the ratios of single pairs come to."""
    return Ratio(median(values), interval(values), list(values))


def paired(figures: Mapping[int, float | None], others: Mapping[int, float | None]) -> Ratio:
    """The ratio of two runtimes in one experiment, by block: what slowed the machine then slowed both."""
    return of_pairs([quotient(figure, others.get(block)) for block, figure in figures.items()])


def unpaired(figures: Sequence[float | None], others: Sequence[float | None]) -> Ratio:
    """The ratio of medians over runs of two experiments, which have nothing in common but the machine."""
    there = [value for value in figures if value is not None]
    theirs = [value for value in others if value is not None]
    return Ratio(quotient(median(there), median(theirs)), interval_of_ratio(there, theirs), [])
