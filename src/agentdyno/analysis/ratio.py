"""Ratios of one runtime's metric to another's, with 95% confidence intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agentdyno.analysis.statistics import interval, interval_of_ratio, median

FLOOR = "floor"
"""The runtime that is the practical limit, by its name."""

BASELINE = "baseline"
"""What ratios to the runtime chosen with --baseline are called after."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """The ratio of two metrics: its median, its 95% CI (None with too few runs), and the ratio of each pair.

    `values` is empty where the runs are not paired.
    """

    median: float | None
    ci95: tuple[float, float] | None
    values: list[float | None]


def quotient(figure: float | None, other: float | None) -> float | None:
    """`figure` divided by `other`; None where one of them is missing or `other` is 0."""
    return figure / other if figure is not None and other else None


def of_pairs(values: Sequence[float | None]) -> Ratio:
    """The median ratio and its 95% CI, from the ratios of single pairs."""
    return Ratio(median(values), interval(values), list(values))


def paired(figures: Mapping[int, float | None], others: Mapping[int, float | None]) -> Ratio:
    """The ratio of two runtimes in one experiment, paired by block: what slowed the machine slowed both."""
    return of_pairs([quotient(figure, others.get(block)) for block, figure in figures.items()])


def unpaired(figures: Sequence[float | None], others: Sequence[float | None]) -> Ratio:
    """The ratio of medians over runs of two experiments, whose runs cannot be paired."""
    numerators = [value for value in figures if value is not None]
    denominators = [value for value in others if value is not None]
    ratio = quotient(median(numerators), median(denominators))
    return Ratio(ratio, interval_of_ratio(numerators, denominators), [])
