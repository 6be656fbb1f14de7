"""What the controls show of an experiment."""

from dataclasses import replace
from typing import Any

import pytest

from agentdyno.analysis.gate import Failure
from agentdyno.analysis.metric import Kind
from agentdyno.analysis.run_analysis import RunAnalysis
from agentdyno.results.summary import Summary, summarise
from analysis.conftest import Build
from analysis.synthetic import (
    CELL,
    MS,
    NAMES,
    attempt_of,
    change_outcome,
    change_requests,
    good_run,
    run_with_peak,
)

GO = replace(CELL, runtime="go")
AA_CONTROL = replace(CELL, control="twin")
DRIFT_CHECK = replace(CELL, control="sentinel")
UNSAMPLED = replace(CELL, control="unsampled")


def found_in(*runs: RunAnalysis) -> Summary:
    return summarise(runs, [CELL, GO], simulated=True, baseline=None)


def failures(*runs: RunAnalysis) -> list[Failure]:
    """The failures of the only row."""
    (row,) = found_in(*runs).rows
    return row.failures


def slow_run(ms: float) -> dict[str, Any]:
    """A run whose attempts end with `ms` milliseconds more of overhead."""
    run = good_run()
    for name in NAMES:
        attempt_of(run, name)["t_end"] += round(ms * MS)
    return run


def pairs(build: Build, *peaks: tuple[float, float]) -> list[RunAnalysis]:
    """Blocks in which the row and its A/A control had these peaks of memory, in MiB."""
    return [
        build(run_with_peak(mib), cell, block)
        for block, pair in enumerate(peaks, start=1)
        for cell, mib in zip((CELL, AA_CONTROL), pair, strict=True)
    ]


def concerns_the_experiment(failure: Failure, gate: str, *facts: str) -> None:
    """The failure is of `gate`, is no runtime's fault, names these facts, and says how to measure again."""
    assert (failure.gate, failure.run, failure.is_fault) == (gate, None, False)
    for fact in facts:
        assert fact in failure.reason
    assert "quiet machine" in failure.remedy


def test_an_aa_control_that_takes_more_memory_invalidates_every_row(build: Build) -> None:
    runs = [*pairs(build, (10, 12)), build(run_with_peak(5), GO)]
    for row in found_in(*runs).rows:
        (failure,) = row.failures
        concerns_the_experiment(failure, "A/A", "A/A control", "python", "peak_rss_mib", "1.20")
        assert "--repeats" in failure.remedy
        assert failure.line == f"{failure.reason}: {failure.remedy}"
        assert (row.valid, row.is_sound) == (False, True)


@pytest.mark.parametrize("peak", [9.51, 10.0, 10.49])
def test_an_aa_control_within_5_percent_ties(build: Build, peak: float) -> None:
    assert failures(*pairs(build, (10, peak))) == []


def test_an_aa_control_ties_when_the_interval_contains_1(build: Build) -> None:
    found = pairs(build, (10, 11), (10, 9), (10, 12))
    assert failures(*found) == []
    (comparison,) = found_in(*found).comparisons
    assert comparison.ratios["peak_rss_mib"].median == pytest.approx(1.1)


def test_an_aa_control_does_not_tie_when_the_interval_excludes_1(build: Build) -> None:
    (failure,) = failures(*pairs(build, (10, 11.9), (10, 12), (10, 12.1)))
    concerns_the_experiment(failure, "A/A", "python", "peak_rss_mib", "1.20")


def test_an_aa_control_is_compared_within_its_block(build: Build) -> None:
    (comparison,) = found_in(*pairs(build, (10, 11), (20, 21), (40, 40))).comparisons
    assert comparison.ratios["peak_rss_mib"].values == [1.1, 1.05, 1.0]


def test_a_noisy_metric_is_judged_by_six_pairs_only(build: Build) -> None:
    def runs(blocks: int) -> list[RunAnalysis]:
        return [
            build(slow_run(1 if cell == AA_CONTROL else 0), cell, 10 * blocks + block)
            for block in range(blocks)
            for cell in (CELL, AA_CONTROL)
        ]

    assert failures(*runs(5)) == []
    (failure,) = failures(*runs(6))
    concerns_the_experiment(failure, "A/A", "python", "overhead_ms_p50", "1.10")


def test_a_drift_check_that_takes_more_than_the_first_run_invalidates_every_row(build: Build) -> None:
    runs = [
        build(run_with_peak(10)),
        build(run_with_peak(30), GO),
        build(run_with_peak(11), CELL, 2),
        build(run_with_peak(13), DRIFT_CHECK, 2),
    ]
    rows = found_in(*runs).rows
    assert len(rows) == 2
    for row in rows:
        (failure,) = row.failures
        concerns_the_experiment(
            failure, "sentinel", "drift check", "peak_rss_mib", "1.30", "(limit 0.95 to 1.05"
        )


def test_the_drift_check_judges_only_memory_and_wall_time(build: Build) -> None:
    slow = slow_run(5)
    slow["outcome"]["own_cpu_s"] = 5.0
    before = [build(good_run(), block=block) for block in range(1, 5)]
    assert failures(*before, build(slow, DRIFT_CHECK, 4)) == []
    slow["events"][-1]["t"] *= 2
    (failure,) = failures(*before, build(slow, DRIFT_CHECK, 5))
    concerns_the_experiment(failure, "sentinel", "wall_s", "2.00", "(limit 0.95 to 1.05")
    assert failure.kinds == [Kind.TIME]


def walls(build: Build, *times: float) -> list[RunAnalysis]:
    """Runs of the row and then the drift check, with wall times so many times that of a good run."""
    runs = []
    for block, factor in enumerate(times, start=1):
        run = good_run()
        run["events"][-1]["t"] = round(run["events"][-1]["t"] * factor)
        is_last = block == len(times)
        runs.append(build(run, DRIFT_CHECK if is_last else CELL, block - is_last))
    return runs


@pytest.mark.parametrize(
    ("times", "gates"),
    [
        ((1, 1.01, 1.02, 1, 1.14), ["sentinel"]),
        ((1, 1.2, 1.3, 1.1, 1.14), []),
        ((1, 1.14), []),  # where so few runs show no noise
    ],
)
def test_a_drift_in_time_is_judged_by_the_noise_that_the_runs_show(
    build: Build, times: tuple[float, ...], gates: list[str]
) -> None:
    assert [failure.gate for failure in failures(*walls(build, *times))] == gates


@pytest.mark.parametrize(("peak", "kinds"), [(0.55, []), (0.75, [[Kind.MEMORY]])])
def test_the_drift_check_condemns_no_memory_by_what_the_kernels_counter_may_miss(
    build: Build, peak: float, kinds: list[list[Kind]]
) -> None:
    """With 2 cores that is 256 KiB: more than 5% of the memory of a program that takes half a MiB."""
    found = failures(build(run_with_peak(0.46)), build(run_with_peak(peak), DRIFT_CHECK))
    assert [failure.kinds for failure in found] == kinds


def test_a_run_without_samples_is_compared_and_never_judged(build: Build) -> None:
    unsampled = good_run()
    unsampled["samples"] = []
    unsampled["outcome"]["own_cpu_s"] = 0.25
    found = found_in(build(good_run()), build(unsampled, UNSAMPLED))
    assert [row.failures for row in found.rows] == [[]]
    (comparison,) = found.comparisons
    assert (comparison.control, comparison.runtime, comparison.agents) == ("unsampled", "python", 20)
    assert comparison.ratios["cpu_s_per_task"].median == 0.5
    assert comparison.ratios["peak_rss_mib"].median is None


def test_a_fault_of_a_control_counts_for_the_row_that_it_repeats(build: Build) -> None:
    crashed, late = good_run(), good_run()
    change_outcome(exit_code=-11)(crashed)
    change_requests(late_us=[10_500] * 100)(late)
    runs = [build(good_run()), build(good_run(), GO), build(crashed, AA_CONTROL), build(late, DRIFT_CHECK)]
    python, go = found_in(*runs).rows
    (failure,) = python.failures
    assert (failure.gate, failure.run, failure.is_fault) == ("ended in order", 1, True)
    assert failure.reason.startswith("A/A control: ")
    assert "signal 11" in failure.reason
    assert "runtime.stderr" in failure.remedy
    assert not python.is_sound
    assert go.failures == []


def test_a_control_makes_no_row_of_its_own(build: Build) -> None:
    assert [row.cell for row in found_in(*pairs(build, (10, 10))).rows] == [CELL]


def test_a_control_of_a_run_that_is_missing_has_no_ratio(build: Build) -> None:
    found = found_in(build(good_run(), GO), build(good_run(), AA_CONTROL))
    assert found.comparisons[0].ratios["wall_s"].values == []
    assert [row.failures for row in found.rows] == [[]]
