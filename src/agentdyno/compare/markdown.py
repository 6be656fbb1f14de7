"""A comparison as a comment on a pull request."""

import re
from collections.abc import Iterable

from agentdyno.analysis.registry import METRICS
from agentdyno.compare.comparison import Comparison
from agentdyno.compare.judgement import Judgement
from agentdyno.compare.pairs import Pair
from agentdyno.format import ratio, ratio_interval


def markdown(found: Comparison) -> str:
    """A heading that says what came of it, the limits, a table for each pair, and what to know besides."""
    lines = [
        f"### agentdyno: {_outcome(found)}",
        "",
        f"BASE {_code(found.base)}<br>NEW {_code(found.new)}",
        "",
        *_list(f"**NOT COMPARABLE** {_text(obstacle)}" for obstacle in found.obstacles),
        *_list(_judgement(judgement) for judgement in found.judgements),
        *(line for pair in found.pairs for line in _table(found, pair)),
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


def _table(found: Comparison, pair: Pair) -> list[str]:
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
