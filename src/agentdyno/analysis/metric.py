"""The definition of a metric: one declaration that all other modules read."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from agentdyno import format as written
from agentdyno.analysis.ratio import BASELINE, FLOOR


class Kind(StrEnum):
    """The kind of a metric. A failed gate invalidates the metrics of the kinds that it concerns."""

    MEMORY = "memory"
    PROCESSOR_TIME = "processor time"
    TIME = "time"
    OUTCOME = "outcome"
    CONCURRENCY = "concurrency"
    INSTRUMENT = "instrument"


class Better(IntEnum):
    """The direction in which a metric is better; NEITHER for metrics of the endpoint, the instrument and the
    shape of the experiment.
    """

    LESS = -1
    NEITHER = 0
    MORE = 1


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """One metric. `name` and `unit` are those of summary.json.

    `label` names the metric in a line, `short` in a narrow heading of two lines, and `meaning` defines it.
    Reports show the value times `scale` in `unit_shown`, with `digits` decimals (`format.figure`). Reports
    can rank runtimes by the metric if `ranks`. `percentile` is set for percentiles, such as "p50". A ratio
    sets `of`, the metric of both numerator and denominator, and `reference`, whose value is the denominator.
    `since` is the version that first wrote the metric, None for 0.1.0.
    """

    name: str
    unit: str
    kind: Kind
    label: str
    short: str
    meaning: str
    better: Better = Better.NEITHER
    unit_shown: str = ""
    scale: float = 1.0
    digits: int | None = None
    ranks: bool = False
    percentile: str | None = None
    of: str | None = None
    reference: str | None = None
    since: str | None = None

    @property
    def shown_in(self) -> str:
        """The unit in reports."""
        return self.unit_shown or self.unit

    @property
    def called(self) -> str:
        """The label; for a ratio, with the reference."""
        return self.label if self.reference is None else self.heading

    @property
    def heading(self) -> str:
        """Label and unit in one line; counts have no unit."""
        return self.label if self.digits == 0 else f"{self.label} {self.shown_in}"

    @property
    def explained(self) -> str:
        """The meaning; for a percentile, with its share."""
        if self.percentile is None:
            return self.meaning
        return f"{self.meaning} {self.percentile[1:]}% of the values are at most this large."

    @property
    def family(self) -> str:
        """The name without the percentile, which all percentiles of one quantity share."""
        return self.name.removesuffix(f"_{self.percentile}")

    def shown(self, value: float | None) -> str:
        """A value in the unit shown, without that unit."""
        if value is None:
            return written.MISSING
        if self.reference is not None:
            return written.multiple(value)
        return written.figure(value * self.scale, self.digits)

    def with_unit(self, value: float | None) -> str:
        """A value and its unit."""
        return written.MISSING if value is None else f"{self.shown(value)} {self.shown_in}"

    def interval(self, ends: tuple[float, float] | None) -> str:
        """The ends of an interval in the unit shown, without that unit."""
        if self.reference is not None:
            return written.ratio_interval(ends)
        return written.interval(ends, self.shown)

    def with_interval(self, value: float | None, ends: tuple[float, float] | None) -> str:
        """A value followed by its interval in parentheses, if there is one; without a unit."""
        return self.shown(value) if ends is None else f"{self.shown(value)} ({self.interval(ends)})"


PERCENTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


def percentiles(
    part: str, label: str, short: str, meaning: str, better: Better = Better.LESS, *, ranks: bool = False
) -> Iterator[MetricDefinition]:
    """The metrics `PART_ms_p50` to `PART_ms_p99`, in ms."""
    for percentile in PERCENTILES:
        yield MetricDefinition(
            f"{part}_ms_{percentile}",
            "ms",
            Kind.TIME,
            f"{label} {percentile}",
            f"{short}\n{percentile}",
            meaning,
            better,
            ranks=ranks,
            percentile=percentile,
        )


def ratios(name: str, of: str, label: str, short: str, kind: Kind) -> Iterator[MetricDefinition]:
    """The metrics `NAME_x_floor` and `NAME_x_baseline`."""
    runtimes = {FLOOR: "`floor`", BASELINE: "the runtime named by `--baseline`"}
    for reference, runtime in runtimes.items():
        sign = f"×{reference}"
        yield MetricDefinition(
            f"{name}_x_{reference}",
            f"times the {reference}'s",
            kind,
            label,
            f"{short}\n{'×base' if reference == BASELINE else sign}",
            f"{written.capitalised(label)} divided by that of {runtime}, in the same block, at as many "
            "agents, with the same verifier.",
            Better.LESS,
            unit_shown=sign,
            of=of,
            reference=reference,
        )
