import pytest

from agentdyno.report.figures import Figure, figures
from agentdyno.results.experiment import Experiment
from report.figures.drawn import data, texts

SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


@pytest.fixture(scope="module")
def drawn(measured: Experiment) -> Figure:
    return next(figure for figure in figures(measured) if figure.name.startswith("overhead"))


def curve(figure: Figure, runtime: str) -> dict[float, float]:
    """Milliseconds by share."""
    return {
        round(point["share"], 3): point["ms"]
        for point in data(figure, "ms", "share")
        if point["runtime"] == runtime and point["shape"] == "circle"
    }


def test_percentiles_are_those_of_the_summary(measured: Experiment, drawn: Figure) -> None:
    for row in measured.summary.rows:
        marked = {
            (mark["share"], mark["ms"])
            for mark in data(drawn, "ms", "share")
            if mark["runtime"] == row.cell.runtime
        }
        for name, share in SHARES.items():
            assert (share, row.metrics[f"overhead_ms_{name}"].median) in marked


def test_percentiles_lie_on_the_curve(measured: Experiment, drawn: Figure) -> None:
    for row in measured.summary.rows:
        for name, share in SHARES.items():
            median = row.metrics[f"overhead_ms_{name}"].median
            assert curve(drawn, row.cell.runtime)[share] == pytest.approx(median)


def test_the_table_and_the_words_say_the_same(measured: Experiment, drawn: Figure) -> None:
    for row, line in zip(measured.summary.rows, drawn.lines, strict=True):
        medians = [row.metrics[f"overhead_ms_{name}"].median or 0 for name in SHARES]
        assert line[0] == row.cell.runtime
        assert [float(cell) for cell in line[1:4]] == pytest.approx(medians, rel=0.01, abs=0.05)
        invalid = "" if row.valid else ", INVALID"
        assert f"{line[0]} {' · '.join(line[1:4])} ms{invalid}" in texts(drawn)


def test_the_floor_is_in_the_panels_of_the_others_and_has_none_of_its_own(drawn: Figure) -> None:
    (panel,) = drawn.chart.to_dict()["concat"]
    assert {text.partition(" ")[0] for text in texts(drawn)} >= {"python", "floor"}
    assert "Grey, in each of them: floor, the practical limit." in drawn.caption
    assert len(panel["layer"]) == 2 + 2 * len(("python", "floor"))
