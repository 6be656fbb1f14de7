"""A comparison as JSON, for programs."""

from dataclasses import asdict
from typing import Any

from agentdyno.report.compare.comparison import Comparison
from agentdyno.report.compare.pairs import Pair
from agentdyno.report.summary import named

SCHEMA_VERSION = 1


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
                "within_itself": its.is_within_itself,
            }
            for metric, its in pair.changes.items()
            if not pair.unlike(metric) and (its.base, its.new) != (None, None)
        },
    }
