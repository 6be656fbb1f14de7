"""What is published is what the summary that lies beside it says."""

import re
import shutil
import textwrap
from pathlib import Path

import pytest

from agentdyno.analysis.registry import METRICS
from agentdyno.format import capitalised
from agentdyno.report.page.certainty import certainty
from agentdyno.report.page.findings import Pick, findings, picks
from agentdyno.results.documents import table
from agentdyno.results.experiment import open_experiment
from agentdyno.results.sweep import read_swept, sweep_markdown
from snapshot import is_file

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "agents-100": [(100, "cold")],
    "runtimes": [(100, "cold"), (100, "null"), (1000, "cold"), (1000, "null")],
    "overhead": [(100, "null"), (1000, "null")],
}
"""The pages with a table of all runtimes, and what it has of each: agents and verifier."""

TABLE = re.compile(r"^\| verifier \| agents \|.*\n(?:\|.*\n)+(?:\n(?:- INVALID .*\n)+)?", re.MULTILINE)
QUOTATION = re.compile(r"^>.*\n(?:>.*\n)*", re.MULTILINE)

ROWS = {name: open_experiment(ROOT / f"docs/results/{name}.json").rows for name in PAGES}
COLUMNS = (("100", "peak_rss_mib"), ("1,000", "peak_rss_mib"), ("100", "overhead_ms_p50"))
"""What the README shows of the experiment `overhead`, with the null verifier: agents and metric."""

WORDS_OF_README = 900


def shown(page: str) -> dict[tuple[str, ...], dict[str, str]]:
    """What a page's table shows in each column, by verifier, agents and runtime."""
    names, _, *lines = (
        [cell.strip(" ~") for cell in line.strip("|").split("|")]
        for line in table(ROWS[page]).splitlines()
        if line.startswith("|")
    )
    return {tuple(line[:3]): dict(zip(names, line, strict=True)) for line in lines}


SHOWN = {page: shown(page) for page in PAGES}


def readme_line(runtime: str) -> str:
    figures = [
        figure(SHOWN["overhead"]["null", agents, runtime][METRICS[metric].heading], metric)
        for agents, metric in COLUMNS
    ]
    return f"| {' | '.join([f'`{runtime}`', *figures])} |"


def figure(text: str, metric: str) -> str:
    """There is room for the interval of the median overhead only."""
    return text if metric == "overhead_ms_p50" else text.partition(" (")[0]


@pytest.mark.parametrize("name", PAGES)
def test_the_page_shows_every_row(name: str) -> None:
    page = ROOT / f"docs/results/{name}.md"
    assert is_file(page, TABLE.sub(lambda _: table(ROWS[name]), page.read_text(), count=1))


def test_the_readme_shows_the_same_figures() -> None:
    readme = (ROOT / "README.md").read_text().splitlines()
    lines = [readme_line(runtime) for runtime in dict.fromkeys(row.cell.runtime for row in ROWS["overhead"])]
    assert [line for line in lines if line not in readme] == []


@pytest.mark.parametrize("name", PAGES)
def test_all_runtimes_did_the_same_work(name: str) -> None:
    work = ("first_attempt_pass", "recovered", "failed", "errors", "avg_retries")
    outcomes: dict[tuple[int, str], set[tuple[tuple[float | None, ...], ...]]] = {}
    for row in ROWS[name]:
        did = tuple(tuple(row.metrics[metric].values) for metric in work)
        outcomes.setdefault((row.cell.agents, row.cell.verifier), set()).add(did)
    assert {cell: len(different) for cell, different in outcomes.items()} == dict.fromkeys(PAGES[name], 1)


@pytest.mark.parametrize("name", PAGES)
def test_nothing_published_is_invalid_but_where_the_endpoint_was_late(name: str) -> None:
    reasons = [failure.reason for found in ROWS[name] for failure in found.failures]
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
        *map(answer, picks(experiment)),
        *(finding.text for finding in findings(experiment)),
        *certainty(experiment, []),
    ]


def answer(pick: Pick) -> str:
    runtimes, where = " or ".join(pick.runtimes), capitalised(pick.where)
    return f"**{where}: {runtimes}.** {capitalised(pick.why)}." if runtimes else f"**{where}:** {pick.why}."


@pytest.mark.parametrize("name", PAGES)
def test_the_page_quotes_the_report_in_full(name: str) -> None:
    page = ROOT / f"docs/results/{name}.md"
    said = reported(f"docs/results/{name}.json")
    lines = []
    for sentence in said:
        if sentence.startswith("**"):
            lines += [*wrapped(sentence, "> ", "> "), ">"]
        else:
            lines += wrapped(sentence, "> - ", ">   ")
    quotation = "\n".join(lines) + "\n"
    assert is_file(page, QUOTATION.sub(lambda _: quotation, page.read_text(), count=1))
    assert quoted(f"docs/results/{name}.md") == said


def wrapped(sentence: str, first: str, others: str) -> list[str]:
    return textwrap.wrap(
        sentence, 120, initial_indent=first, subsequent_indent=others, break_on_hyphens=False
    )


def test_the_readme_is_a_page_that_can_be_read_in_a_minute_or_two() -> None:
    assert len((ROOT / "README.md").read_text().split()) <= WORDS_OF_README


def test_the_badge_counts_the_runtimes() -> None:
    manifests = list((ROOT / "runtimes").glob("*/runtime*.toml"))
    assert f"{len(manifests)} runtimes" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize(
    ("name", "heading"), [("runtimes-sweep", "## The tables"), ("python-sweep", "## The table")]
)
def test_the_page_of_a_sweep_shows_what_it_wrote(name: str, heading: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / f"docs/results/{name}.json", tmp_path / "sweep.json")
    written = sweep_markdown(read_swept(tmp_path / "summary.json"))
    page = ROOT / f"docs/results/{name}.md"
    before, _, _ = page.read_text().partition(f"\n{heading}\n")
    assert is_file(page, f"{before}\n{heading}\n\n{written}")
