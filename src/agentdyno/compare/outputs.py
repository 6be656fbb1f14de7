"""The outputs of a comparison: for a terminal, a pull request, JUnit XML and Bencher Metric Format.

The JUnit XML is valid by both schemas in use: Ant's (https://github.com/windyroad/JUnit-Schema), which
requires most, and that of Jenkins (junit-10.xsd of its xUnit plugin). Bencher Metric Format is the input of
`bencher run --adapter json` (https://bencher.dev/docs/reference/bencher-metric-format).
"""

import re
from collections.abc import Iterable
from datetime import datetime
from xml.etree import ElementTree

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agentdyno.analysis.registry import METRICS, Better
from agentdyno.compare.change import Verdict
from agentdyno.compare.comparison import Comparison, Judgement
from agentdyno.compare.pairs import Pair
from agentdyno.format import ci95, counted, figure, ratio, ratio_interval
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


def markdown(found: Comparison) -> str:
    """A heading that says what came of it, the limits, a table for each pair, and what to know besides."""
    lines = [
        f"### agentdyno: {_outcome(found)}",
        "",
        f"BASE {_code(found.base)}<br>NEW {_code(found.new)}",
        "",
        *_list(f"**NOT COMPARABLE** {_text(obstacle)}" for obstacle in found.obstacles),
        *_list(_judgement(judgement) for judgement in found.judgements),
        *(line for pair in found.pairs for line in _markdown_table(found, pair)),
        *_list(_text(remark) for remark in found.remarks),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def _outcome(found: Comparison) -> str:
    failed = sum(not judgement.kept for judgement in found.judgements)
    if failed:
        outcome = f"{failed} of {len(found.judgements)} limits not kept"
    else:
        outcome = "every limit kept" if found.judgements else "comparison"
    return f"NOT COMPARABLE, {outcome}" if found.obstacles else outcome


def _judgement(judgement: Judgement) -> str:
    status = "kept" if judgement.kept else "**failed**"
    return f"{status} {_code(judgement.limit.text)}: {_text(judgement.row)}: {_text(judgement.says)}"


def _markdown_table(found: Comparison, pair: Pair) -> list[str]:
    lines = [
        f"**{_text(found.mark + pair.name)}**",
        "",
        "| metric | BASE | NEW | unit | ratio | 95% CI | verdict |",
        "| --- | ---: | ---: | --- | ---: | ---: | --- |",
    ]
    for name in found.shown(pair):
        its, metric = pair.changes[name], METRICS[name]
        cells = (
            _code(name),
            metric.shown(its.base),
            metric.shown(its.new),
            metric.shown_in,
            ratio(its.ratio.median),
            ratio_interval(its.ratio.ci95),
            its.verdict or "",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def _list(items: Iterable[str]) -> list[str]:
    """The items as a list with an empty line after it, nothing where there are none."""
    lines = [f"- {item}" for item in items]
    return [*lines, ""] if lines else []


def _code(text: str) -> str:
    return f"`{text.replace('`', chr(39))}`"


def _text(text: str) -> str:
    """Text of which Markdown makes nothing."""
    return re.sub(r"([\\`*_{}\[\]<>|#~])", r"\\\1", text)


NO_CHARACTER = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
"""What no XML document may hold (XML 1.0, section 2.2); what a runtime said before it died may."""


def junit(found: Comparison, written: datetime) -> str:
    """A suite that was run when NEW was `written`, with a test case for every limit on every row."""
    suites = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(
        suites,
        "testsuite",
        name=f"{found.mark}agentdyno compare",
        package="agentdyno",
        id="0",
        timestamp=written.strftime("%Y-%m-%dT%H:%M:%S"),
        hostname="localhost",
        tests=str(len(found.judgements)),
        failures=str(sum(not judgement.kept for judgement in found.judgements)),
        errors="0",
        time="0",
    )
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in (("BASE", found.base), ("NEW", found.new)):
        ElementTree.SubElement(properties, "property", name=name, value=value)
    for obstacle in found.obstacles:
        ElementTree.SubElement(properties, "property", name="NOT COMPARABLE", value=obstacle)
    for judgement in found.judgements:
        _add(suite, found, judgement)
    ElementTree.SubElement(suite, "system-out").text = "\n".join(each.line for each in found.judgements)
    ElementTree.SubElement(suite, "system-err").text = "\n".join(found.remarks)
    ElementTree.indent(suites)
    text = ElementTree.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{NO_CHARACTER.sub("�", text)}\n'


def _add(suite: ElementTree.Element, found: Comparison, judgement: Judgement) -> None:
    case = ElementTree.SubElement(
        suite, "testcase", classname=f"{found.mark}{judgement.row}", name=judgement.limit.text, time="0"
    )
    if not judgement.kept:
        kind = "limit exceeded" if judgement.judged else "cannot be judged"
        # GitLab shows the text, Jenkins the message.
        ElementTree.SubElement(case, "failure", type=kind, message=judgement.says).text = judgement.says


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
