"""The one rule that decides whether rows differ in a metric; docs/method.md has its reasons and its evidence.

Rows are compared by the logarithms of their ratios, paired within blocks, with trimmed means (Yuen 1974).
Pairs share what they know of the variance (Smyth 2004), as a handful of blocks tells little of it.
Intervals hold for all pairs together (Tukey's studentized range; Games and Howell 1976 for unequal
variances), so that the best of many rows is no finding by being picked afterwards. The A/A control widens
them by what a runtime differs from itself by. No difference below 1% is claimed.
"""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import combinations
from statistics import fmean, median, variance
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Blocks = Mapping[int, float | None]
"""A row's figure in each block."""

CONFIDENCE = 0.95
LEAST_BLOCKS = 3
"""Fewer blocks than this tell nothing of chance."""

LEAST_CLAIM = -math.log(0.99)
"""No smaller difference is claimed, however often it is measured: 1%."""

EQUIVALENCE = 1.05
"""Two rows are called the same when their ratio surely is within 5%."""

LEAST_VARIANCE = 1e-6
"""Memory comes in pages, so that a few runs may agree to the byte; they are not that certain."""

UNTRIMMED_BLOCKS = 5
"""Of more blocks than this a fifth is trimmed at either end: a few runs in a hundred are disturbed."""

SHARED_FROM_ROWS = 6
"""Fewer rows than this have too few pairs to tell how much their variances differ."""

MOST_PRIOR_DEGREES = 10.0


class Answer(StrEnum):
    """What can be said of two rows."""

    LESS = "less"
    MORE = "more"
    SAME = "same within 5%"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure over another: `ratio` with its simultaneous 95% CI, and whether the two are told apart.

    `ci95` is None with too few runs, and holds 1 wherever the two are not told apart.
    """

    ratio: float
    ci95: tuple[float, float] | None

    @property
    def answer(self) -> Answer:
        """LESS where the first is surely less than the other."""
        if self.ci95 is None:
            return Answer.UNKNOWN
        low, high = self.ci95
        if high < 1:
            return Answer.LESS
        if low > 1:
            return Answer.MORE
        return Answer.SAME if low >= 1 / EQUIVALENCE and high <= EQUIVALENCE else Answer.UNKNOWN


@dataclass(frozen=True, slots=True)
class Control:
    """The A/A control of a group: `figures` by block of the run that repeats the row `of`."""

    of: Blocks
    figures: Blocks


@dataclass(frozen=True, slots=True)
class Group(Generic[Key]):
    """Rows that compete in one metric, compared over `blocks` blocks that all of them have.

    `differences` holds each ordered pair of rows. `resolution` is the ratio below which two typical rows
    cannot be told apart here; None with too few blocks.
    """

    rows: tuple[Key, ...]
    blocks: int
    differences: Mapping[tuple[Key, Key], Difference]
    resolution: float | None

    @property
    def can_tell(self) -> bool:
        """Whether there are rows and blocks enough for any answer."""
        return self.resolution is not None

    @property
    def leaders(self) -> list[Key]:
        """The rows with least: those that no row is surely less than; none where that is all of them."""
        if not self.can_tell:
            return []
        found = [row for row in self.rows if not any(self._is_less(other, row) for other in self.rows)]
        return found if len(found) < len(self.rows) else []

    def over_best_other(self, row: Key) -> tuple[float, float] | None:
        """How many times the best of the others a row is, as a 95% CI whose low end is above 1 exactly where
        the row is beaten (multiple comparisons with the best; Hsu 1996). None where nothing can be told.
        """
        ends = [self.differences[row, other].ci95 for other in self.rows if other != row]
        there = [ci95 for ci95 in ends if ci95 is not None]
        return (max(low for low, _ in there), max(high for _, high in there)) if there else None

    def _is_less(self, row: Key, other: Key) -> bool:
        return row != other and self.differences[row, other].answer is Answer.LESS


def compare_rows(rows: Mapping[Key, Blocks], control: Control | None = None) -> Group[Key]:
    """Compare rows of one experiment with each other; rows without figures above 0 are left out."""
    there = {row: figures for row, blocks in rows.items() if (figures := above_0(blocks))}
    keys = tuple(there)
    again = (above_0(control.of), above_0(control.figures)) if control else None
    if again is not None and not all(again):
        again = None
    shared = sorted(
        set.intersection(*(set(figures) for figures in [*there.values(), *(again or ())])) if there else ()
    )
    logs = {row: [math.log(there[row][block]) for block in shared] for row in keys}
    n, k = len(shared), len(keys)
    if n < LEAST_BLOCKS or k < 2:
        return Group(keys, n, _only_ratios(there), None)
    every = list(logs.values())
    if again is not None:
        of, repeated = ([math.log(figures[block]) for block in shared] for figures in again)
        every.append(repeated)
    spreads = {(i, j): spread_of(_minus(every[i], every[j])) for i, j in combinations(range(len(every)), 2)}
    prior, degrees = _shared_variance([spread.variance for spread in spreads.values()], len(every), n)
    noise = 0.0 if again is None else aa_noise(spread_of(_minus(repeated, of)), prior, degrees)
    differences: dict[tuple[Key, Key], Difference] = {}
    halves = []
    for one, other in combinations(range(k), 2):
        spread = spreads[one, other]
        error, freedom = spread.error(prior, degrees)
        half = studentized_range(k, freedom) / math.sqrt(2) * error + noise
        halves.append(half)
        differences[keys[one], keys[other]] = difference(spread.mean, half)
        differences[keys[other], keys[one]] = difference(-spread.mean, half)
    return Group(keys, n, differences, exponential(median(halves)))


@dataclass(frozen=True, slots=True)
class Spread:
    """Trimmed mean and winsorised variance of `kept` of some values."""

    mean: float
    variance: float
    kept: int

    def error(self, prior: float, degrees: float) -> tuple[float, float]:
        """Standard error of the mean and its degrees of freedom, with what other pairs tell of the
        variance.
        """
        own = self.kept - 1
        shared = (degrees * prior + own * self.variance) / (degrees + own)
        return math.sqrt(shared / self.kept), degrees + own


def spread_of(values: Sequence[float]) -> Spread:
    """Trim and winsorise a fifth at either end, from six values on (Yuen 1974)."""
    ordered, n = sorted(values), len(values)
    trimmed = 0 if n <= UNTRIMMED_BLOCKS else n // 5
    kept = ordered[trimmed : n - trimmed]
    winsorised = [min(max(value, kept[0]), kept[-1]) for value in ordered]
    middle = fmean(winsorised)
    squares = sum((value - middle) ** 2 for value in winsorised)
    return Spread(fmean(kept), max(squares / (len(kept) - 1), LEAST_VARIANCE), len(kept))


def _shared_variance(variances: Sequence[float], rows: int, n: int) -> tuple[float, float]:
    """The variance that pairs have in common and for how many degrees of freedom it stands (empirical Bayes
    as in limma; Smyth 2004); (rows + 1) / rows allows for pairs that share a row.
    """
    own = n - 2 * (0 if n <= UNTRIMMED_BLOCKS else n // 5) - 1
    if rows < SHARED_FROM_ROWS:
        return 0.0, 0.0
    from scipy.optimize import brentq
    from scipy.special import polygamma
    from scipy.stats import f

    excess = variance([math.log(each) for each in variances]) * (rows + 1) / rows - float(
        polygamma(1, own / 2)
    )
    degrees = MOST_PRIOR_DEGREES
    if excess > float(polygamma(1, MOST_PRIOR_DEGREES / 2)):
        degrees = 2 * float(
            brentq(lambda half: float(polygamma(1, half)) - excess, 1e-3, MOST_PRIOR_DEGREES / 2)
        )
    return median(variances) / float(f.ppf(0.5, own, degrees)), degrees


def aa_noise(itself: Spread, prior: float, degrees: float) -> float:
    """By how much a runtime differs from itself, where that is more than chance; else 0."""
    error, freedom = itself.error(prior, degrees)
    by = abs(itself.mean)
    return by if by > student((1 + CONFIDENCE) / 2, freedom) * error else 0.0


def difference(mean: float, half: float) -> Difference:
    """With ends rounded outwards as they are printed, so that printed ends and unprinted ones agree."""
    low, high = (
        _outwards(exponential(mean - half), math.floor),
        _outwards(exponential(mean + half), math.ceil),
    )
    if abs(mean) - half < LEAST_CLAIM:
        low, high = min(low, 1.0), max(high, 1.0)
    elif mean < 0:
        high = min(high, 0.99)
    else:
        low = max(low, 1.01)
    return Difference(exponential(mean), (low, high))


def _outwards(ratio: float, towards: Callable[[float], int]) -> float:
    """Two decimals, three where two would leave little of a small ratio."""
    scale = 1000 if ratio < 0.1 else 100
    return towards(round(ratio * scale, 9)) / scale if math.isfinite(ratio) else ratio


def exponential(log: float) -> float:
    """Infinity where the ratio is too large for a float, as an interval over wild figures may be."""
    try:
        return math.exp(log)
    except OverflowError:
        return math.inf


def _only_ratios(rows: Mapping[Key, Mapping[int, float]]) -> dict[tuple[Key, Key], Difference]:
    """Ratios of medians, where there are too few blocks for more."""
    return {
        (one, other): Difference(median(rows[one].values()) / median(rows[other].values()), None)
        for one in rows
        for other in rows
        if one != other
    }


def _minus(these: Sequence[float], those: Sequence[float]) -> list[float]:
    return [one - other for one, other in zip(these, those, strict=True)]


def above_0(blocks: Blocks) -> dict[int, float]:
    """The figures that are there; nothing where one is not above 0, of which there is no ratio."""
    there = {block: value for block, value in blocks.items() if value is not None}
    return there if all(value > 0 for value in there.values()) else {}


# SciPy takes a second to import and a quarter of one for a quantile of the studentized range.
@cache
def _studentized_range(k: int, freedom: int) -> float:
    from scipy.stats import studentized_range as distribution

    return float(distribution.ppf(CONFIDENCE, k, freedom))


def studentized_range(k: int, freedom: float) -> float:
    """The 95% quantile of the studentized range of `k` rows; between whole degrees of freedom it is
    interpolated in their reciprocal, as printed tables are, which errs to the larger side.
    """
    below = math.floor(freedom + 1e-9)
    low = _studentized_range(k, below)
    if freedom - below < 1e-9:
        return low
    weight = (1 / below - 1 / freedom) / (1 / below - 1 / (below + 1))
    return low + (_studentized_range(k, below + 1) - low) * weight


@cache
def student(quantile: float, freedom: float) -> float:
    """A quantile of Student's t."""
    from scipy.stats import t

    return float(t.ppf(quantile, freedom))
