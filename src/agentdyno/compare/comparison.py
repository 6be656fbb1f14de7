"""Everything that a comparison has found, in whichever form it is written."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from agentdyno.compare.judgement import Judgement
from agentdyno.compare.pairs import Pair
from agentdyno.results.summary import named

SHOWN = (
    "peak_rss_mib",
    "tree_peak_pss_mib",
    "cpu_s_per_task",
    "overhead_ms_p50",
    "overhead_ms_p95",
    "overhead_ms_p99",
    "steady_overhead_ms_p99",
    "all_begun_ms",
    "wall_s",
    "steady_tasks_per_s",
    "pass_rate",
    "errors",
)
"""What is shown unless more is asked for; a limit's metric is shown besides."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`base` and `new` are what was compared, in a line each.

    `obstacles` are why the two are not comparable, where that was overridden; `remarks` what a reader should
    know besides; `metrics` are shown.
    """

    base: str
    new: str
    pairs: list[Pair]
    metrics: Sequence[str]
    obstacles: list[str]
    remarks: list[str]
    judgements: list[Judgement]

    @property
    def kept(self) -> bool:
        """Whether every limit was."""
        return all(judgement.kept for judgement in self.judgements)

    @property
    def mark(self) -> str:
        """What the names of rows begin with in files that hold nothing but names and figures."""
        if not self.obstacles:
            return ""
        return f"NOT COMPARABLE ({', '.join(reason.partition(':')[0] for reason in self.obstacles)}) "

    def shown(self, pair: Pair) -> list[str]:
        """The metrics that are shown of a pair: those that both have, taken by one method."""
        return [
            metric
            for metric in self.metrics
            if None not in (pair.changes[metric].base, pair.changes[metric].new) and not pair.unlike(metric)
        ]


SCHEMA_VERSION = 2


def document(found: Comparison) -> dict[str, Any]:
    """Everything, of every metric that either row has; figures are not rounded."""
    return {
        "schema_version": SCHEMA_VERSION,
        "base": found.base,
        "new": found.new,
        "kept": found.kept,
        "not_comparable": found.obstacles,
        "remarks": found.remarks,
        "pairs": [_pair(pair) for pair in found.pairs],
        "limits": [
            {
                "limit": judgement.limit.text,
                "row": judgement.row,
                "judged": judgement.judged,
                "kept": judgement.kept,
                "says": judgement.says,
            }
            for judgement in found.judgements
        ],
    }


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "base": named(pair.base.cell),
        "new": named(pair.new.cell),
        "metrics": {
            metric: {
                "unit": pair.new.metrics[metric].unit,
                "base": its.base,
                "new": its.new,
                "runs": its.runs,
                "paired": its.paired,
                "ratio": asdict(its.ratio),
                "difference": its.difference,
                "verdict": its.verdict,
            }
            for metric, its in pair.changes.items()
            if not pair.unlike(metric) and (its.base, its.new) != (None, None)
        },
    }
