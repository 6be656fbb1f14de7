"""The page as a whole."""

import base64
import hashlib
import re
from collections.abc import Iterable
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from agentdyno.format import capitalised, ratio, ratio_interval
from agentdyno.report.figures import Figure, Theme, svg
from agentdyno.report.page import surroundings
from agentdyno.report.page.certainty import certainty
from agentdyno.report.page.findings import findings, picks
from agentdyno.report.page.pick import picks_for_many
from agentdyno.report.page.reproduction import commands
from agentdyno.report.page.results import results
from agentdyno.results.experiment import Experiment
from agentdyno.results.sweep import read_swept, sentences

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
