import re
import struct
import xml.etree.ElementTree as ElementTree

import pytest

from agentdyno.errors import UserError
from agentdyno.report.figures import Figure, Theme, figures, png, svg
from agentdyno.results.experiment import Experiment
from report.figures.drawn import descriptions, texts

TITLES = {
    "peak-memory": ["peak memory (MiB)"],
    "overhead": ["overhead (ms, logarithmic)", "share of attempts"],
    "ledger": ["a whole attempt (ms)", "of it the runtime's own (ms)"],
    "memory-over-time": ["seconds after the start of the run", "memory (MiB, logarithmic)"],
    "swim-lanes": ["seconds after the start of the run", "agents, a lane each"],
}
"""What must be written at the axes of the figures whose names begin with this."""

WIDEST = 720


@pytest.fixture(scope="module")
def drawn(measured: Experiment) -> list[Figure]:
    return list(figures(measured))


def test_an_experiment_has_its_figures_the_most_wanted_first(drawn: list[Figure]) -> None:
    names = [figure.name for figure in drawn]
    assert names[:4] == [
        "peak-memory-null-20",
        "overhead-null-20",
        "ledger-null-20",
        "memory-over-time-null-20",
    ]
    assert re.fullmatch(r"swim-lanes-00\d-python-20-null-steady-ttft-20ms-itl-1ms", names[4])
    assert len(names) == 5


def test_each_says_what_its_axes_are_and_in_which_units(drawn: list[Figure]) -> None:
    for figure in drawn:
        (titles,) = (titles for name, titles in TITLES.items() if figure.name.startswith(name))
        assert set(titles) <= set(texts(figure)), figure.name


def test_marks_say_which_runtime_they_are_of(drawn: list[Figure]) -> None:
    for figure in drawn:
        runtimes = {words.partition(", ")[0] for words in descriptions(figure)}
        assert runtimes == ({"python"} if figure.name.startswith("swim-lanes") else {"python", "floor"})


def test_on_a_page_text_and_lines_have_the_colour_of_the_text_around(drawn: list[Figure]) -> None:
    for figure in drawn:
        root = ElementTree.fromstring(svg(figure, Theme.PAGE))
        words = list(root.iter("{http://www.w3.org/2000/svg}text"))
        assert words
        assert {word.get("fill") for word in words} == {"currentColor"}
        assert "<script" not in svg(figure, Theme.PAGE)


def test_on_paper_they_are_dark_on_white(drawn: list[Figure]) -> None:
    for figure in drawn:
        written = svg(figure, Theme.PAPER)
        root = ElementTree.fromstring(written)
        assert {word.get("fill") for word in root.iter("{http://www.w3.org/2000/svg}text")} == {"#1a1a1a"}
        assert "currentColor" not in written
        assert 'fill="white"' in written


def test_a_png_has_two_pixels_to_each_of_the_figures_own(drawn: list[Figure]) -> None:
    for figure in drawn:
        root = ElementTree.fromstring(svg(figure, Theme.PAPER))
        width, height = float(root.attrib["width"]), float(root.attrib["height"])
        assert width <= WIDEST
        image = png(figure)
        assert image.startswith(b"\x89PNG")
        assert struct.unpack(">II", image[16:24]) == (2 * width, 2 * height)


def test_no_word_is_smaller_than_12_pixels(drawn: list[Figure]) -> None:
    for figure in drawn:
        sizes = re.findall(r'font-size="([\d.]+)px"', svg(figure, Theme.PAGE))
        assert min(float(size) for size in sizes) >= 12


def test_tables_have_as_many_cells_as_headings(drawn: list[Figure]) -> None:
    for figure in drawn:
        assert figure.lines
        assert {len(line) for line in figure.lines} == {len(figure.headings)}, figure.name


def test_a_summary_alone_has_the_figures_that_need_no_runs(copied: Experiment) -> None:
    assert [figure.name for figure in figures(copied)] == ["peak-memory-null-20"]


def test_a_run_that_is_asked_for_must_be_one_of_the_experiment(measured: Experiment) -> None:
    first = measured.runs[0].folder.name
    with pytest.raises(UserError) as refusal:
        next(figures(measured, "runs/007"))
    assert str(refusal.value) == (
        f"--run runs/007: no such run in {measured.path}; name one as its folder is called, as {first}"
    )


def test_a_run_that_is_asked_for_must_have_its_files(copied: Experiment) -> None:
    run = copied.runs[-1]
    with pytest.raises(UserError, match="no such file; name results whose runs are whole") as refusal:
        list(figures(copied, run.folder.name))
    assert str(refusal.value).startswith(str(run.folder))


def test_the_run_that_is_asked_for_is_shown(measured: Experiment) -> None:
    run = next(run for run in measured.runs if run.cell.runtime == "floor")
    *_, lanes = figures(measured, run.folder.name)
    assert lanes.title == "The agents of floor over time, 20 agents, verifier null"
