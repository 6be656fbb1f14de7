"""NEW's figures in Bencher Metric Format, for `bencher run --adapter json`.

Format: https://bencher.dev/docs/reference/bencher-metric-format
"""

from agentdyno.report.compare.comparison import Comparison
from agentdyno.report.compare.pairs import Pair

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
