"""NEW's figures in Bencher Metric Format, for `bencher run --adapter json`.

Format: https://bencher.dev/docs/reference/bencher-metric-format
"""

from agentdyno.analysis.registry import METRICS, Better
from agentdyno.compare.comparison import Comparison
from agentdyno.compare.pairs import Pair
from agentdyno.format import ci95, counted, figure, ratio

Measures = dict[str, dict[str, float | None]]


def metric_format(found: Comparison) -> dict[str, Measures]:
    """A benchmark for every pair, and a measure for each metric that is shown."""
    return {f"{found.mark}{pair.of_new}": _measures(found, pair) for pair in found.pairs}


def _measures(found: Comparison, pair: Pair) -> Measures:
    measures: Measures = {}
    for metric in found.shown(pair):
        new = pair.new.metrics[metric]
        measures[metric] = {"value": new.median}
        if new.ci95 is not None:
            measures[metric] |= {"lower_value": new.ci95[0], "upper_value": new.ci95[1]}
    return measures


def benchmarks(found: Comparison, way: Better) -> list[dict[str, object]]:
    """An entry for every pair and shown metric that is better that `way`."""
    return [
        _entry(found, pair, metric)
        for pair in found.pairs
        for metric in found.shown(pair)
        if METRICS[metric].better == way
    ]


def _entry(found: Comparison, pair: Pair, metric: str) -> dict[str, object]:
    its, new = pair.changes[metric], pair.new.metrics[metric]
    extra = [
        counted(its.runs[1], "run"),
        f"NEW over BASE: {ratio(its.ratio.median)}, {ci95(its.ratio.ci95)}, {its.verdict}",
        *(f"NOT COMPARABLE {obstacle}" for obstacle in found.obstacles),
    ]
    entry: dict[str, object] = {
        "name": f"{found.mark}{pair.of_new}, {metric}",
        "unit": new.unit,
        "value": its.new,
        "extra": "\n".join(extra),
    }
    if new.ci95 is not None:
        entry["range"] = f"± {figure((new.ci95[1] - new.ci95[0]) / 2)}"
    return entry
