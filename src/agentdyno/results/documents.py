"""`table.md`: the rows of an experiment as one table, for a README or an issue."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from agentdyno.analysis.registry import METRICS
from agentdyno.format import MISSING
from agentdyno.results.summary import CELL, Metric, Row, named

SHOWN = (
    "peak_rss_mib",
    "peak_rss_x_floor",
    "first_attempt_pass",
    "recovered",
    "failed",
    "errors",
    "avg_retries",
    "overhead_ms_p50",
    "overhead_ms_p95",
    "overhead_ms_p99",
    "all_begun_ms",
    "cpu_s_per_task",
    "verify_ms_p50",
    "wall_s",
    "max_in_flight",
    "endpoint_lateness_ms_p99",
)
"""The metrics of the table, from left to right."""


def table(found: Sequence[Row]) -> str:
    """The rows as a GitHub table; why figures are not valid, and all notes, stand below."""
    lines = []
    for row in found:
        figures = [struck(_figure(name, row.metrics[name]), row.has_valid(name)) for name in SHOWN]
        runtime = struck(row.cell.runtime, not row.is_void)
        lines.append([row.cell.verifier, f"{row.cell.agents:,}", runtime, *figures])
    complaints = [f"- {row.complaint(failure)}" for row in found for failure in row.failures]
    complaints += [f"- {remark}" for row in found for remark in row.remarks]
    made = github([METRICS[name].heading for name in SHOWN], lines)
    return "\n".join([*made, *(["", *complaints] if complaints else []), ""])


def struck(figure: str, is_valid: bool) -> str:
    """The figure as Markdown, struck where it is not valid."""
    return figure if is_valid or figure == MISSING else f"~~{figure}~~"


def _figure(name: str, found: Metric) -> str:
    """Where a runtime can be picked by it, which differs from run to run, with its interval."""
    metric = METRICS[name]
    return metric.with_interval(found.median, found.ci95 if metric.ranks else None)


def spreadsheet(rows: Sequence[Row]) -> str:
    """A line a row: what names it, whether it is valid, which figures are not and why, and of each metric the
    median and the 95% CI, as they stand in `summary.json`; what is not known is empty.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*CELL, "valid", "invalid_kinds", "failures", *_headings(rows)])
    for row in rows:
        failures = "; ".join(failure.line for failure in row.failures)
        kinds = "; ".join(row.invalid_kinds)
        writer.writerow([*named(row.cell).values(), str(row.valid).lower(), kinds, failures, *_figures(row)])
    return text.getvalue()


def _headings(rows: Sequence[Row]) -> Iterator[str]:
    for name, metric in rows[0].metrics.items() if rows else ():
        for figure in ("median", "low", "high"):
            yield f"{name} {figure} [{metric.unit}]"


def _figures(row: Row) -> Iterator[float | None]:
    for metric in row.metrics.values():
        yield metric.median
        yield from metric.ci95 or (None, None)


def github(headings: Sequence[str], lines: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a GitHub table: verifier, agents and runtime, and a column for each of `headings`."""
    rule = ["---", "---:", "---", *["---:"] * len(headings)]
    every = [["verifier", "agents", "runtime", *headings], rule, *lines]
    return [f"| {' | '.join(line)} |" for line in every]
