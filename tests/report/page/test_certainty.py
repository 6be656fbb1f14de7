"""How sure a report says that it is."""

from pathlib import Path

from agentdyno.analysis.gate import Failure
from agentdyno.report.page.certainty import certainty
from agentdyno.rundata.cell import AA_CONTROL, DRIFT_CHECK
from report.page.synthetic import control, experiment, row, swept

VALID = "All 2 rows are valid."
LATE = Failure("endpoint on time", 2, "the endpoint was late", "give it a core", is_fault=False)


def test_what_stands_behind_the_figures(tmp_path: Path) -> None:
    found = experiment(
        tmp_path,
        row("rust", 1, 2, 3),
        row("go", 1, 2, 3),
        compared=[
            control(AA_CONTROL, "rust", peak_rss_mib=[0.997] * 3, overhead_ms_p50=[0.5, 0.8, 0.9]),
            control(DRIFT_CHECK, "go", peak_rss_mib=[1.02], wall_s=[0.999]),
        ],
    )
    valid, runs, control_says, resolution, drift = certainty(found, [])
    assert valid == VALID
    assert "3 runs" in runs
    assert [
        part in control_says for part in ("A/A control", "rust", "0.3% in memory", "25% in overhead")
    ] == [True] * 4
    assert "cannot be told" in resolution
    assert [part in drift for part in ("Drift check", "2.0% in memory", "0.1% in wall time")] == [True] * 3


def test_one_run_tells_nothing_and_the_way_to_more_is_said(tmp_path: Path) -> None:
    valid, runs, control_says = certainty(experiment(tmp_path, row("rust", 1)), [])
    assert valid == "The one row is valid."
    assert "--repeats 3" in runs
    assert "--controls aa" in control_says


def test_many_runs(tmp_path: Path) -> None:
    found = experiment(tmp_path, row("rust", *range(1, 8)), row("go", *range(1, 7)))
    assert "6 to 7 runs" in certainty(found, [])[1]


def test_rows_that_are_not_valid_are_named_with_the_gate(tmp_path: Path) -> None:
    found = experiment(
        tmp_path, row("rust", 1, 2, 3, agents=1000, failures=[LATE]), row("go", 1, 2, 3), row("c", 1, 2, 3)
    )
    assert certainty(found, [])[0] == (
        "2 of 3 rows are valid; rust at 1,000 (endpoint on time) is not, and left out above."
    )


def test_a_sweep_is_not_blamed_for_few_agents_making_few_attempts(tmp_path: Path) -> None:
    few = Failure("enough samples", 1, "1 attempt", "raise --limit", is_fault=False)
    rows = [row("go", 1, agents=1, failures=[few]), row("go", 2, agents=100)]
    sweep = [swept("go", 14, 100, None)]
    few_attempts = "and 1 of them have too few attempts for percentiles."
    assert certainty(experiment(tmp_path, *rows), sweep)[0] == f"All 2 rows are valid, {few_attempts}"
    late = row("go", 3, agents=1000, failures=[LATE])
    assert certainty(experiment(tmp_path, *rows, late), sweep)[0] == (
        f"2 of 3 rows are valid; go at 1,000 (endpoint on time) is not, {few_attempts}"
    )


def test_a_control_that_failed_is_said_once_with_what_to_do(tmp_path: Path) -> None:
    noisy = Failure("A/A", None, "rust against itself: memory is 1.2 times its own", "wait", is_fault=False)
    found = experiment(
        tmp_path, row("rust", 1, 2, 3, failures=[noisy]), row("go", 1, 2, 3, failures=[noisy, LATE])
    )
    assert certainty(found, [])[0] == (
        "No row is valid, as a control failed: rust against itself: memory is 1.2 times its own: wait."
    )


def test_an_experiment_that_was_not_finished(tmp_path: Path) -> None:
    found = experiment(tmp_path, row("rust", 1, 2, 3), complete=False)
    assert certainty(found, [])[0] == (
        "The experiment was not finished: 3 runs of it are here. `agentdyno run --resume DIR` goes on "
        "with it."
    )


def test_a_real_model(tmp_path: Path) -> None:
    found = experiment(tmp_path, row("rust", 1, 2, 3), simulated=False, endpoint="http://h/v1")
    assert certainty(found, [])[-1] == (
        "A real model served the runs: its replies, its times and the tasks passed are its own and differ "
        "from run to run."
    )
