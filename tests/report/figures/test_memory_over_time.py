from hypothesis import given
from hypothesis import strategies as st

from agentdyno.report.figures import figures
from agentdyno.report.figures.memory_over_time import Look, peak, thinned
from agentdyno.results.experiment import Experiment
from report.figures.drawn import data

moments = st.lists(
    st.tuples(st.floats(0, 100), st.floats(0.1, 1000)),
    min_size=1,
    max_size=400,
    unique_by=lambda look: look[0],
)


def looks(moments: list[tuple[float, float]]) -> list[Look]:
    """In the order of time, with the high-water mark that there would be."""
    ordered = sorted(moments)
    return [
        Look(seconds, mib, max(earlier for _, earlier in ordered[: number + 1]))
        for number, (seconds, mib) in enumerate(ordered)
    ]


@given(moments, st.integers(1, 50))
def test_thinning_keeps_the_peak_and_the_order(moments: list[tuple[float, float]], stretches: int) -> None:
    its = looks(moments)
    few = thinned(its, stretches)
    assert len(few) <= stretches + 1
    assert few[0] == its[0]
    assert [look.seconds for look in few] == sorted(look.seconds for look in few)
    assert max(look.mib for look in few) == max(look.mib for look in its)
    assert set(few) <= set(its)


@given(moments)
def test_the_peak_is_where_the_high_water_mark_was_reached(moments: list[tuple[float, float]]) -> None:
    its = looks(moments)
    assert peak(its).mib == peak(its).peak_mib == max(mib for _, mib in moments)


def test_peaks_are_those_of_a_run_of_the_summary(measured: Experiment) -> None:
    drawn = next(figure for figure in figures(measured) if figure.name.startswith("memory-over-time"))
    for row, line in zip(measured.summary.rows, drawn.lines, strict=True):
        lower = min(value for value in row.metrics["peak_rss_mib"].values if value is not None)
        marks = [mark["mib"] for mark in data(drawn, "seconds", "mib") if mark["runtime"] == row.cell.runtime]
        assert max(marks) == lower
        assert line[0] == row.cell.runtime
        assert float(line[2]) == round(lower, 1 if lower >= 0.995 else 2)
