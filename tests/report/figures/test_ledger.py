import pytest

from agentdyno.analysis.ledger import FIGURES, means
from agentdyno.report.figures import Figure, figures
from agentdyno.report.figures.marks import OWN_PARTS, PHASES
from agentdyno.results.experiment import Experiment
from report.figures.drawn import data


@pytest.fixture(scope="module")
def drawn(measured: Experiment) -> Figure:
    return next(figure for figure in figures(measured) if figure.name.startswith("ledger"))


def test_pieces_are_the_means_of_the_ledger_end_to_end(measured: Experiment, drawn: Figure) -> None:
    for row in measured.summary.rows:
        its = dict(zip(FIGURES, means(run.ledger() for run in measured.runs_of(row.cell)) or [], strict=True))
        pieces = [piece for piece in data(drawn, "part") if piece["runtime"] == row.cell.runtime]
        for parts, own, total in ((PHASES, "runtime", "wall"), (OWN_PARTS, "", "overhead")):
            bar = [piece for piece in pieces if piece["part"] in parts]
            assert bar[0]["from"] == 0
            assert [piece["from"] for piece in bar[1:]] == [piece["to"] for piece in bar[:-1]]
            assert bar[-1]["to"] == pytest.approx(its[total], abs=1)
            for piece in bar:
                name = "overhead" if piece["part"] == own else piece["part"]
                assert piece["to"] - piece["from"] == pytest.approx(its[name])


def test_bars_stand_by_overhead_and_end_in_what_they_sum_to(measured: Experiment, drawn: Figure) -> None:
    ends = data(drawn, "words")
    overheads = [float(line[-1]) for line in drawn.lines]
    assert overheads == sorted(overheads)
    assert [end["words"].removesuffix(", INVALID") for end in ends] == [
        f"{line[column]} ms" for column in (-2, -1) for line in drawn.lines
    ]


def test_what_took_no_time_has_no_colour_in_the_legend(drawn: Figure) -> None:
    assert "transport" not in {piece["part"] for piece in data(drawn, "part")}
