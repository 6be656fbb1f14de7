"""A comparison for a terminal."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agentdyno.analysis.registry import METRICS
from agentdyno.compare.change import Verdict
from agentdyno.compare.comparison import Comparison
from agentdyno.compare.pairs import Pair
from agentdyno.format import counted, ratio, ratio_interval
from agentdyno.report.tables import say, show, table

HEADINGS = ("metric", "BASE", "NEW", "unit", "ratio", "95% CI", "verdict")
STYLES = {Verdict.BETTER: "green", Verdict.WORSE: "red"}


def print_comparison(console: Console, found: Comparison) -> None:
    """Print what was compared, a table for each pair of rows, and what came of the limits."""
    say(console, f"BASE {found.base}")
    say(console, f"NEW  {found.new}")
    for obstacle in found.obstacles:
        say(console, f"NOT COMPARABLE {obstacle}", "red")
    for pair in found.pairs:
        show(console, _table(found, pair))
    console.print()
    for remark in found.remarks:
        say(console, remark)
    for judgement in found.judgements:
        say(console, judgement.line, None if judgement.kept else "red")


def _table(found: Comparison, pair: Pair) -> Table:
    made = table(f"{found.mark}{pair.name}, {_runs(pair)}", HEADINGS)
    made.columns[-1].justify = "left"
    made.columns[HEADINGS.index("unit")].justify = "left"
    for name in found.shown(pair):
        its, metric = pair.changes[name], METRICS[name]
        style = STYLES.get(its.verdict, "") if its.verdict else ""
        made.add_row(
            name,
            metric.shown(its.base),
            metric.shown(its.new),
            metric.shown_in,
            ratio(its.ratio.median),
            ratio_interval(its.ratio.ci95),
            Text(its.verdict or "", style),
        )
    return made


def _runs(pair: Pair) -> str:
    """How many runs there are of each, and whether they are compared block by block."""
    base, new = (max(len(metric.values) for metric in row.metrics.values()) for row in (pair.base, pair.new))
    paired = any(change.paired for change in pair.changes.values())
    return f"{base} against {counted(new, 'run')}{', paired by block' if paired else ''}"
