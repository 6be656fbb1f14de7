"""The page as a browser shows it: what can be read, sorted, searched and asked, by whom and on what."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from agentdyno.analysis.gate import Failure
from agentdyno.report.figures import figures
from agentdyno.report.page.document import document
from agentdyno.results.experiment import Experiment, open_experiment
from agentdyno.rundata.cell import AA_CONTROL, DRIFT_CHECK
from report.page.conftest import Visit
from report.page.synthetic import control, experiment, row

HOSTILE = '<img src="//evil/x" onerror="alert(1)">'
LATE = Failure("endpoint on time", 2, f"late {HOSTILE}</script>", "give it a `core`", is_fault=False)
AA = 4.5
"""The least contrast of text by WCAG 2, 1.4.3; of graphics, 1.4.11, it is 3."""
AA_GRAPHICS = 3.0

TOO_FAINT = """
(page) => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = channels(colour).slice(0, 3).map((byte) => {
      const share = byte / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if (channels(colour)[3] !== 0) return colour;
    }
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility() || element.closest("script")) continue;
    const inChart = element.closest("svg") !== null;
    const style = getComputedStyle(element);
    const [one, other] = [light(inChart ? style.fill : style.color), light(ground(element))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < (inChart ? page.graphics : page.text)) found.push(`${node.data.trim()}: ${contrast}`);
  }
  return found;
}
"""


def write(made: Experiment, path: Path) -> Path:
    path.write_text(document(made, figures(made)))
    return path


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of rows of every kind; rust takes half of what go takes, of everything."""
    folder = tmp_path_factory.mktemp("made-up")
    rows = [
        row(name, *(factor * agents * run for run in (1, 2, 3)), agents=agents, verifier=verifier, **more)
        for verifier in ("cold", "null")
        for agents in (10, 1000)
        for name, factor, more in (
            ("rust", 1, {}),
            ("go", 2, {}),
            ("floor", 0.1, {"pass_rate": [0.5, 0.5, 0.5]}),
            (HOSTILE, 1.5, {"failures": [LATE]}),
        )
    ]
    described = {"language": "{{ 7 * 7 }}", "description": HOSTILE, "run": [HOSTILE]}
    made = experiment(
        folder,
        *rows,
        compared=[control(AA_CONTROL, "rust"), control(DRIFT_CHECK, "rust")],
        runtimes={each.cell.runtime: described for each in rows},
        tasks=HOSTILE,
        environment={"cpu": HOSTILE, "git_dirty": True},
    )
    return write(made, folder / "report.html")


@pytest.fixture(scope="module")
def whole(measured: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with every figure that a run gives."""
    return write(open_experiment(measured), tmp_path_factory.mktemp("whole") / "report.html")


def shown(page: Page) -> list[tuple[str, ...]]:
    """Runtime, agents and verifier of the rows that are to be seen, from the top."""
    return [
        tuple(each.get_attribute(f"data-{name}") or "" for name in ("runtime", "agents", "verifier"))
        for each in page.locator(".results tbody tr:visible").all()
    ]


def column(page: Page, number: int) -> list[str]:
    """What is sorted by, from the top; an empty text where there is no figure."""
    found: list[str] = page.eval_on_selector_all(
        f".results tbody tr > :nth-child({number})",
        "(cells) => cells.map((cell) => cell.dataset.value "
        "?? (cell.classList.contains('number') ? '' : cell.textContent.trim()))",
    )
    return found


def test_every_figure_is_drawn(visit: Visit, whole: Path) -> None:
    page = visit(whole)
    charts = page.locator(".chart svg")
    assert charts.count() == page.locator("figure").count() > 2
    for chart in charts.all():
        box = chart.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) > 50
        assert chart.locator("[aria-label^='python, ']").count() > 0


def test_the_table_is_sorted_by_every_column_either_way(visit: Visit, table: Path) -> None:
    page = visit(table)
    headings = page.locator(".results thead th")
    for number in range(1, headings.count() + 1):
        heading = headings.nth(number - 1)
        for direction in ("ascending", "descending"):
            heading.get_by_role("button").click()
            expect(page.locator("[aria-sort]")).to_have_count(1)
            assert heading.get_attribute("aria-sort") == direction
            keys = column(page, number)
            there = [key for key in keys if key]
            assert keys == there + [""] * (len(keys) - len(there))
            if heading.get_attribute("class") == "number":
                assert list(map(float, there)) == sorted(map(float, there), reverse=direction == "descending")
            else:
                assert there == sorted(there, reverse=direction == "descending")


def test_the_table_is_sorted_by_keyboard(visit: Visit, table: Path) -> None:
    page = visit(table)
    button = page.get_by_role("button", name="Peak memory MiB")
    button.focus()
    page.keyboard.press("Enter")
    assert shown(page)[0] == ("floor", "10", "cold")
    page.keyboard.press("Space")
    assert shown(page)[0] == ("go", "1000", "cold")
    expect(page.locator(".shown")).to_have_text("16 of 16 rows, by Peak memory MiB, largest first.")


def test_rows_are_found_by_words_and_choices(visit: Visit, table: Path) -> None:
    page = visit(table)
    status = page.locator(".shown")
    search = page.get_by_role("searchbox", name="Show rows with")
    search.fill("RUST cold")
    assert shown(page) == [("rust", "10", "cold"), ("rust", "1000", "cold")]
    expect(status).to_have_text("2 of 16 rows.")
    page.get_by_role("group", name="Agents").get_by_label("10", exact=True).uncheck()
    assert shown(page) == [("rust", "1000", "cold")]
    search.fill("invalid")
    assert shown(page) == [(HOSTILE, "1000", "cold"), (HOSTILE, "1000", "null")]
    page.get_by_role("group", name="Verifier").get_by_label("cold").uncheck()
    assert shown(page) == [(HOSTILE, "1000", "null")]
    search.fill("nobody")
    expect(status).to_have_text("0 of 16 rows.")


def test_what_the_search_leaves_out_is_pale_in_the_figures(visit: Visit, table: Path) -> None:
    page = visit(table)
    page.get_by_role("searchbox").fill("rust")
    marks = page.locator(".chart [aria-label^='go, ']")
    assert marks.count() > 0
    for mark in marks.all():
        expect(mark).to_have_class("dimmed")
    assert page.locator(".chart [aria-label^='rust, '].dimmed").count() == 0
    page.get_by_role("searchbox").fill("")
    assert page.locator(".dimmed").count() == 0


def test_a_mark_says_what_it_stands_for(visit: Visit, table: Path) -> None:
    page = visit(table)
    tip = page.locator(".tip")
    mark = page.locator(".chart [aria-label^='rust, ']").first
    mark.scroll_into_view_if_needed()
    mark.hover()
    expect(tip).to_have_text(mark.get_attribute("aria-label") or "")
    page.mouse.move(0, 0)
    expect(tip).to_be_hidden()
    chart = page.locator(".chart").first
    chart.focus()
    page.keyboard.press("ArrowRight")
    first = tip.text_content() or ""
    assert first.split(", ")[0] in ("rust", "go", "floor", HOSTILE)
    page.keyboard.press("ArrowRight")
    assert tip.text_content() != first
    page.keyboard.press("ArrowLeft")
    expect(tip).to_have_text(first)
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()


def test_a_badge_opens_the_reason_and_what_to_do(visit: Visit, table: Path) -> None:
    page = visit(table)
    reasons = page.locator(".reasons").first
    expect(reasons.get_by_role("listitem")).to_be_hidden()
    reasons.locator("summary").press("Enter")
    expect(reasons.get_by_role("listitem")).to_have_text(f"Run 2: {LATE.reason}. What to do: {LATE.remedy}.")


def test_what_strangers_wrote_is_text(visit: Visit, table: Path) -> None:
    page = visit(table)
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 1
    text = page.locator("body").inner_text()
    assert f"on 2 cores of {HOSTILE}" in text
    assert f"{{{{ 7 * 7 }}}}: {HOSTILE}" in text
    assert "changes that are in no commit" in text


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("which", ["table", "whole"])
def test_all_text_can_be_read(visit: Visit, which: str, scheme: str, request: pytest.FixtureRequest) -> None:
    page = visit(request.getfixturevalue(which), color_scheme=scheme, reduced_motion="reduce")
    page.evaluate("() => document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert page.evaluate(TOO_FAINT, {"text": AA, "graphics": AA_GRAPHICS}) == []


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)])
def test_the_first_screen_says_what_to_pick_and_how_sure_that_is(
    visit: Visit, table: Path, size: tuple[int, int]
) -> None:
    width, height = size
    page = visit(table, viewport={"width": width, "height": height})
    for text in (
        "At 10 agents: rust. Least memory, lowest overhead and least processor time.",
        "At 1,000 agents: rust. Least memory, lowest overhead and least processor time.",
        "12 of 16 rows are valid",
        "Each row is the median of 3 runs",
        "A/A control: rust differed from itself by",
    ):
        box = page.get_by_text(text).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= height, text


@pytest.mark.parametrize("which", ["table", "whole"])
def test_a_phone_scrolls_tables_and_figures_and_never_the_page(
    visit: Visit, which: str, request: pytest.FixtureRequest
) -> None:
    page = visit(request.getfixturevalue(which), viewport={"width": 390, "height": 844})
    page.evaluate("() => document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert page.evaluate("() => document.documentElement.scrollWidth") == 390
    assert page.evaluate("() => document.querySelector('.chart').scrollWidth > 390")


def test_without_its_script_the_page_can_be_read(visit: Visit, table: Path) -> None:
    page = visit(table, java_script_enabled=False)
    assert len(shown(page)) == 16
    expect(page.locator(".controls")).to_be_hidden()
    assert page.locator(".results thead button").count() == 0


def test_on_paper_everything_is_open(visit: Visit, table: Path) -> None:
    page = visit(table)
    assert page.pdf().startswith(b"%PDF")
    assert page.locator("details[open]").count() == 0
    page.emulate_media(media="print")
    for each in (*page.locator(".reasons li").all(), *page.locator("details table").all()):
        assert each.evaluate("(element) => element.checkVisibility() && element.clientHeight > 0")
    for gone in ("nav", ".controls", ".skip", ".hint"):
        expect(page.locator(gone)).to_be_hidden()


def headings(page: Page) -> list[int]:
    levels: list[int] = page.eval_on_selector_all(
        "h1, h2, h3, h4", "(found) => found.map((each) => Number(each.tagName[1]))"
    )
    return levels


@pytest.mark.parametrize("which", ["table", "whole"])
def test_what_a_screen_reader_goes_by(visit: Visit, which: str, request: pytest.FixtureRequest) -> None:
    page = visit(request.getfixturevalue(which))
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.get_by_role("main").count() == page.get_by_role("banner").count() == 1
    levels = headings(page)
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert unnamed(page) == []
    ids: Sequence[str] = page.eval_on_selector_all("[id]", "(found) => found.map((each) => each.id)")
    assert len(ids) == len(set(ids))
    pointing: list[str] = page.eval_on_selector_all(
        "[aria-labelledby], [aria-describedby], a[href^='#']",
        "(found) => found.flatMap((each) => (each.getAttribute('aria-labelledby') ?? "
        "each.getAttribute('aria-describedby') ?? decodeURIComponent(each.hash.slice(1))).split(' '))",
    )
    assert set(pointing) <= set(ids)
    # Whoever cannot see a chart has a table right behind it.
    assert page.locator("figure:has(.chart[role=img]):has(table)").count() == page.locator("figure").count()
    assert page.locator("th:not([scope])").count() == 0


def unnamed(page: Page) -> list[Any]:
    """What can be reached or stands for itself, and has no name."""
    found: list[Any] = page.evaluate(
        """() => [...document.querySelectorAll(
             "button, summary, input, a, fieldset, [role=img], [role=region], [tabindex='0']:not(pre)")]
           .filter((each) => !(each.getAttribute("aria-label") || each.getAttribute("aria-labelledby")
             || each.labels?.length || each.textContent.trim()))
           .map((each) => each.outerHTML)"""
    )
    return found


def test_the_keyboard_reaches_the_results_at_once(visit: Visit, table: Path) -> None:
    page = visit(table)
    page.keyboard.press("Tab")
    skip = page.locator(":focus")
    expect(skip).to_have_text("To the results")
    box = skip.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    skip.press("Enter")
    assert page.url.endswith("#results")
