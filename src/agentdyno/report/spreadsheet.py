"""The rows of an experiment as CSV, for a spreadsheet or a data frame."""

import csv
import io
from collections.abc import Iterator, Sequence

from agentdyno.report.summary import CELL, Row, named


def spreadsheet(rows: Sequence[Row]) -> str:
    """A line a row: what names it, whether it is valid and why not, and of each metric the median and the
    95% interval, as they stand in `summary.json`; what is not known is empty.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*CELL, "valid", "failures", *_headings(rows)])
    for row in rows:
        failures = "; ".join(failure.line for failure in row.failures)
        writer.writerow([*named(row.cell).values(), str(row.valid).lower(), failures, *_figures(row)])
    return text.getvalue()


def _headings(rows: Sequence[Row]) -> Iterator[str]:
    for name, metric in rows[0].metrics.items() if rows else ():
        for figure in ("median", "low", "high"):
            yield f"{name} {figure} [{metric.unit}]"


def _figures(row: Row) -> Iterator[float | None]:
    for metric in row.metrics.values():
        yield metric.median
        yield from metric.ci95 or (None, None)
