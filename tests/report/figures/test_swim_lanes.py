from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdyno.analysis.slots import slots
from agentdyno.report.figures import figures
from agentdyno.report.figures.swim_lanes import chosen, evenly, phases, swim_lanes
from agentdyno.results.experiment import Experiment
from report.figures.drawn import data


@given(st.integers(1, 50_000), st.integers(1, 300))
def test_lanes_are_chosen_evenly(many: int, most: int) -> None:
    found = evenly(many, most)
    assert len(found) == min(many, most)
    assert found[0] == 0
    assert found[-1] < many
    steps = [after - before for before, after in pairwise(found)]
    assert not steps or max(steps) - min(steps) <= 1
    assert not steps or min(steps) >= 1


def test_spans_are_those_of_the_events(measured: Experiment) -> None:
    *_, lanes = figures(measured)
    run = chosen(measured, None, measured.summary.rows)
    assert run is not None
    data_of_run = run.read()
    t_start = data_of_run.events.t_start
    assert t_start is not None
    spans = data(lanes, "lane")
    expected = {
        (
            slots(data_of_run)[attempt.task],
            phase,
            round((begin - t_start) / 1e9, 4),
            round((end - t_start) / 1e9, 4),
        )
        for attempt in data_of_run.events.attempts
        for phase, (begin, end) in ({"runtime": (attempt.t_begin, attempt.t_end)} | phases(attempt)).items()
    }
    assert {(span["lane"], span["phase"], span["from"], span["to"]) for span in spans} == expected
    assert max(span["lane"] for span in spans) < 20


def test_the_table_sums_to_what_all_attempts_took(measured: Experiment) -> None:
    *_, lanes = figures(measured)
    run = chosen(measured, None, measured.summary.rows)
    assert run is not None
    took = sum(attempt.t_end - attempt.t_begin for attempt in run.read().events.attempts) / 1e9
    assert [line[0] for line in lanes.lines] == ["model", "queue", "verify", "runtime"]
    seconds = [line[1] for line in lanes.lines]
    rounded = sum(0.5 * 10 ** -len(text.partition(".")[2]) for text in seconds)
    assert sum(map(float, seconds)) == pytest.approx(took, abs=rounded)


def test_the_run_with_the_median_wall_time_of_the_first_contender_is_shown(measured: Experiment) -> None:
    run = chosen(measured, None, measured.summary.rows)
    assert run is not None
    assert run.cell.runtime == "python"
    walls = measured.by_block(run.cell, "wall_s")
    assert walls[run.block] == min(wall for wall in walls.values() if wall is not None)


def test_tries_that_failed_are_no_work_of_the_runtimes(measured: Experiment) -> None:
    attempt = measured.runs[0].read().events.attempts[0]
    assert attempt.t_request is not None
    early, late = attempt.t_request - attempt.t_begin, attempt.t_request
    for ns, span in (
        (0, None),
        (early // 2, (late - early // 2, late)),
        (early + 10, (attempt.t_begin, late)),
    ):
        assert phases(attempt._replace(transport_ns=ns)).get("transport") == span


def test_a_run_of_a_row_that_is_not_valid_says_so(measured: Experiment) -> None:
    words = "The times of this run are not valid; the table of results says why."
    run = measured.runs[0]
    assert [
        words in figure.caption for valid in (True, False) for figure in swim_lanes(run, valid=valid)
    ] == [
        False,
        True,
    ]
