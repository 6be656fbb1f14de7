"""What is published is what the summary that lies beside it says."""

import json
import re
from pathlib import Path
from typing import Any

from agentdyno.analysis.gate import Failure
from agentdyno.experiment.cell import Cell
from agentdyno.report.experiment import open_experiment
from agentdyno.report.markdown import table
from agentdyno.report.page.certainty import certainty
from agentdyno.report.page.findings import findings, picks
from agentdyno.report.page.words import capitalised
from agentdyno.report.summary import Metric, Row

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = json.loads((ROOT / "docs/results/runtimes.json").read_text())
COLUMNS = (
    ("peak_rss_mib", "cold", 1, ".1f"),
    ("peak_rss_x_floor", "cold", 1, ".1f"),
    ("overhead_ms_p50", "null", 1, ".1f"),
    ("overhead_ms_p99", "null", 1, ".1f"),
    ("cpu_s_per_task", "null", 1000, ".1f"),
)
"""What the README shows at each number of agents: metric, verifier, scale and format."""


def row(document: dict[str, Any]) -> Row:
    cell = Cell(*(document[name] for name in ("runtime", "agents", "verifier", "profile")))
    metrics = {name: Metric(**metric) for name, metric in document["metrics"].items()}
    return Row(cell, list(map(failure, document["reasons"])), metrics, methods={})


def failure(reason: str) -> Failure:
    """What schema 2 says in one line, `run 1: reason`, as today's summaries have it."""
    run, _, text = reason.removeprefix("run ").partition(": ")
    return Failure("endpoint on time", int(run), text, remedy="", is_fault=False)


ROWS = [row(document) for document in PUBLISHED["rows"]]


def readme_line(runtime: str) -> str:
    metrics = {
        (found.cell.agents, found.cell.verifier): found.metrics
        for found in ROWS
        if found.cell.runtime == runtime
    }
    figures = [
        format((metrics[agents, verifier][metric].median or 0) * scale, form)
        for agents in (100, 1000)
        for metric, verifier, scale, form in COLUMNS
    ]
    return f"| {' | '.join([f'`{runtime}`', *figures])} |"


def test_the_page_shows_every_row() -> None:
    assert table(ROWS) in (ROOT / "docs/results/runtimes.md").read_text()


def test_the_readme_shows_the_same_figures() -> None:
    readme = (ROOT / "README.md").read_text().splitlines()
    lines = [readme_line(runtime) for runtime in dict.fromkeys(found.cell.runtime for found in ROWS)]
    assert [line for line in lines if line not in readme] == []


def test_all_runtimes_did_the_same_work() -> None:
    work = ("first_attempt_pass", "recovered", "failed", "errors", "avg_retries")
    for agents in (100, 1000):
        for verifier in ("cold", "null"):
            outcomes = {
                tuple(tuple(found.metrics[metric].values) for metric in work)
                for found in ROWS
                if (found.cell.agents, found.cell.verifier) == (agents, verifier)
            }
            assert len(outcomes) == 1
    reasons = [failure.reason for found in ROWS for failure in found.failures]
    assert [reason for reason in reasons if "the endpoint was late" not in reason] == []


def quoted(page: str) -> list[str]:
    """The sentences of the block quotation in a page: its paragraphs and the items of its list."""
    lines = re.findall(r"^> ?(.*)$", (ROOT / page).read_text(), re.MULTILINE)
    return [
        " ".join(part.split()) for part in re.split(r"\n\n|^- ", "\n".join(lines), flags=re.MULTILINE) if part
    ]


def reported(summary: str) -> list[str]:
    """What the first screen of a report says."""
    experiment = open_experiment(ROOT / summary)
    return [
        *(
            f"**{capitalised(pick.where)}: {pick.runtimes[0]}.** {capitalised(pick.why)}."
            for pick in picks(experiment)
        ),
        *(finding.text for finding in findings(experiment)),
        *certainty(experiment, []),
    ]


def test_the_page_quotes_the_report_in_full() -> None:
    assert quoted("docs/results/agents-100.md") == reported("docs/results/agents-100.json")


def test_the_readme_quotes_the_report() -> None:
    said = quoted("README.md")
    assert said[0] == reported("docs/results/agents-100.json")[0]
    assert [sentence for sentence in said if sentence not in reported("docs/results/agents-100.json")] == []


def test_the_page_of_100_agents_shows_its_rows() -> None:
    rows = open_experiment(ROOT / "docs/results/agents-100.json").rows
    assert table(rows) in (ROOT / "docs/results/agents-100.md").read_text()
