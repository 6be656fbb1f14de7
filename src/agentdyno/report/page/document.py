"""The page as a whole, with its table of results: a row for each cell, a column for each metric."""

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from agentdyno.analysis.ratio import BASELINE
from agentdyno.analysis.registry import METRICS, MetricDefinition
from agentdyno.format import MISSING, capitalised, ratio, ratio_interval
from agentdyno.report.figures import Figure, Theme, svg
from agentdyno.report.page import surroundings
from agentdyno.report.page.certainty import certainty
from agentdyno.report.page.findings import findings, picks, picks_for_many
from agentdyno.report.page.surroundings import commands
from agentdyno.results.experiment import Experiment
from agentdyno.results.summary import Row
from agentdyno.results.sweep import read_swept, sentences

SHOWN = (
    "peak_rss_mib",
    "peak_rss_x_floor",
    "peak_rss_x_baseline",
    "tree_peak_pss_mib",
    "overhead_ms_p50",
    "overhead_ms_p99",
    "overhead_ms_p50_x_baseline",
    "cpu_s_per_task",
    "cpu_s_per_task_x_baseline",
    "tasks_per_s",
    "pass_rate",
    "avg_retries",
    "max_in_flight",
    "endpoint_lateness_ms_p99",
)
"""From left to right; metrics for which no row has a figure are left out."""


@dataclass(frozen=True, slots=True)
class Column:
    """One metric, and the unit in its heading, which names the baseline."""

    metric: MetricDefinition
    unit: str


@dataclass(frozen=True, slots=True)
class TableFigure:
    """One figure as it is shown. `value` is what is sorted by, `share` that of the column's largest."""

    is_valid: bool
    text: str
    interval: str | None
    value: float | None
    share: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """One row as it is shown, with what its runtime says of itself."""

    row: Row
    language: str
    description: str
    figures: list[TableFigure]


@dataclass(frozen=True, slots=True)
class Results:
    """The table."""

    columns: list[Column]
    lines: list[Line]

    @property
    def agents(self) -> list[int]:
        """The numbers of agents, upwards."""
        return sorted({line.row.cell.agents for line in self.lines})

    @property
    def verifiers(self) -> list[str]:
        """By name, in the order of the rows."""
        return list(dict.fromkeys(line.row.cell.verifier for line in self.lines))


def results(experiment: Experiment) -> Results:
    """All rows, valid or not: verifier by verifier, fewest agents first."""
    asked = experiment.document["experiment"]
    verifiers = list(dict.fromkeys(row.cell.verifier for row in experiment.summary.rows))
    rows = sorted(
        experiment.summary.rows, key=lambda row: (verifiers.index(row.cell.verifier), row.cell.agents)
    )
    columns = [
        Column(METRICS[name], METRICS[name].shown_in.replace(BASELINE, str(asked["baseline"])))
        for name in SHOWN
        if any(row.metrics[name].median is not None for row in rows)
    ]
    largest = {name: _largest(rows, name) for name in SHOWN if METRICS[name].ranks}
    return Results(
        columns,
        [
            Line(
                row,
                *_described(asked["runtimes"].get(row.cell.runtime, {})),
                [_figure(row, column.metric, largest.get(column.metric.name)) for column in columns],
            )
            for row in rows
        ],
    )


def _described(runtime: dict[str, Any]) -> tuple[str, str]:
    return runtime.get("language", ""), runtime.get("description", "")


def _largest(rows: Sequence[Row], metric: str) -> float:
    return max((median for row in rows if (median := row.metrics[metric].median) is not None), default=0.0)


def _figure(row: Row, metric: MetricDefinition, largest: float | None) -> TableFigure:
    its = row.metrics[metric.name]
    if its.median is None:
        return TableFigure(True, MISSING, None, None, None)
    interval = None
    if its.ci95 is not None:
        interval = metric.interval(its.ci95) if its.ci95[0] < its.ci95[1] else metric.shown(its.median)
    share = its.median / largest if largest else None
    is_valid = row.has_valid(metric.name)
    return TableFigure(is_valid, metric.shown(its.median), interval, its.median * metric.scale, share)


PARTS = files(__package__)
CODE = re.compile(r"`([^`]+)`")


def document(experiment: Experiment, figures: Iterable[Figure]) -> str:
    """The report as HTML that asks nobody for anything: style, script and `figures` are in it."""
    swept = read_swept(experiment.path)
    style, script = _part("style.css"), _part("script.js")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "code": _code,
        "capitalised": capitalised,
        "ratio": ratio,
        "ratio_interval": ratio_interval,
    }
    return environment.from_string(_part("page.html")).render(
        style=Markup(style),
        script=Markup(script),
        allowed_script=_digest(script),
        title=surroundings.title(experiment),
        about=surroundings.about(experiment),
        summary=experiment.document,
        picks=picks_for_many(experiment, swept) if swept else picks(experiment),
        sentences=[sentence for each in swept for sentence in sentences(each)],
        findings=[] if swept else findings(experiment),
        certainty=certainty(experiment, swept),
        results=results(experiment),
        figures=[(each, Markup(svg(each, Theme.PAGE))) for each in figures],
        asked=surroundings.asked(experiment),
        machine=surroundings.machine(experiment),
        commands=commands(experiment, swept),
        folder=experiment.folder.resolve().name,
    )


def _part(name: str) -> str:
    return PARTS.joinpath(name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    """What a Content-Security-Policy names an inline script by (CSP level 3, hash-source)."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def _code(text: str) -> Markup:
    """A sentence in which what stands between backticks is code."""
    return Markup(CODE.sub(r"<code>\1</code>", str(escape(text))))
