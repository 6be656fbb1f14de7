"""A comparison for a terminal."""

from rich.console import Console
from rich.table import Table

from agentdyno.report.compare.comparison import Comparison
from agentdyno.report.compare.pairs import Pair
from agentdyno.report.compare.wording import figure, interval, runs, times, verdict
from agentdyno.report.tables import show, table

HEADINGS = ("metric", "BASE", "NEW", "ratio", "95% interval", "verdict")


def print_comparison(console: Console, found: Comparison) -> None:
    """Print what was compared, a table for each pair of rows, and what came of the limits."""
    for line in (f"BASE {found.base}", f"NEW  {found.new}"):
        _print(console, line)
    for obstacle in found.obstacles:
        _print(console, f"NOT COMPARABLE {obstacle}", "red")
    for pair in found.pairs:
        show(console, _table(found, pair))
    console.print()
    for remark in found.remarks:
        _print(console, remark)
    for judgement in found.judgements:
        _print(console, judgement.line, None if judgement.kept else "red")


def _table(found: Comparison, pair: Pair) -> Table:
    made = table(f"{found.mark}{pair.name}, {_runs(pair)}", HEADINGS)
    made.columns[-1].justify = "left"
    for metric in found.shown(pair):
        its = pair.changes[metric]
        made.add_row(
            metric, figure(its.base), figure(its.new), times(its.ratio), interval(its.ratio), verdict(its)
        )
    return made


def _runs(pair: Pair) -> str:
    """How many runs there are of each."""
    base, new = (max(len(metric.values) for metric in row.metrics.values()) for row in (pair.base, pair.new))
    return f"{base} against {runs(new)}"


def _print(console: Console, line: str, style: str | None = None) -> None:
    console.print(line, style=style, soft_wrap=True)
