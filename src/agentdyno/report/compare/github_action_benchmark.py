"""NEW's figures for github-action-benchmark, which keeps them by commit and draws them.

Format: https://github.com/benchmark-action/github-action-benchmark, *customSmallerIsBetter* and
*customBiggerIsBetter*. A file serves one of the two, so that it takes a file for each.
"""

from agentdyno.analysis.better import better
from agentdyno.report.compare.comparison import Comparison
from agentdyno.report.compare.pairs import Pair
from agentdyno.report.compare.wording import interval, times
from agentdyno.report.counted import counted


def benchmarks(found: Comparison, way: int) -> list[dict[str, object]]:
    """An entry for every pair and shown metric that is better that `way`."""
    return [
        _entry(found, pair, metric)
        for pair in found.pairs
        for metric in found.shown(pair)
        if better(metric) == way
    ]


def _entry(found: Comparison, pair: Pair, metric: str) -> dict[str, object]:
    its, new = pair.changes[metric], pair.new.metrics[metric]
    extra = [
        counted(its.runs[1], "run"),
        f"NEW over BASE: {times(its.ratio)}, 95% interval {interval(its.ratio)}, {its.verdict}",
        *(f"NOT COMPARABLE {obstacle}" for obstacle in found.obstacles),
    ]
    entry: dict[str, object] = {
        "name": f"{found.mark}{pair.of_new}, {metric}",
        "unit": new.unit,
        "value": its.new,
        "extra": "\n".join(extra),
    }
    if new.ci95 is not None:
        entry["range"] = f"± {(new.ci95[1] - new.ci95[0]) / 2:.3g}"
    return entry
