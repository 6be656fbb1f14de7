"""From a run's folder to a row: figures that can be checked by hand."""

from dataclasses import replace

import pytest

from agentdyno.analysis.run_analysis import RunAnalysis
from agentdyno.results.documents import table
from agentdyno.results.summary import Row, summarise
from agentdyno.rundata.cell import Cell
from analysis.conftest import Build
from analysis.synthetic import CELL, MS, NAMES, attempt_of, change_requests, good_run, run_with_peak

FLOOR = replace(CELL, runtime="floor")


def rows(runs: list[RunAnalysis], cells: list[Cell], baseline: str | None = None) -> list[Row]:
    return summarise(runs, cells, simulated=True, baseline=baseline).rows


def row(*runs: RunAnalysis) -> Row:
    (found,) = rows(list(runs), [runs[0].cell])
    return found


def test_the_figures_of_a_run_that_can_be_checked_by_hand(build: Build) -> None:
    found = row(build(good_run()))
    assert found.failures == []
    assert found.valid
    figures = {name: metric.median for name, metric in found.metrics.items()}
    expected = {
        "peak_rss_mib": 3.0,  # what was before the run began does not count
        "tools_peak_pss_mib": 1.5,
        "tree_peak_pss_mib": 4.0,
        "tree_peak_cgroup_mib": 5.0,
        "pass_rate": 1.0,
        "first_attempt_pass": 19,
        "recovered": 1,
        "failed": 0,
        "errors": 0,
        "avg_retries": 0.05,
        "wall_s": 0.2,
        "tasks_per_s": 100.0,
        "cpu_s_per_task": 0.025,
        "tools_cpu_s_per_task": 0.05,
        "start_ms": 30.0,
        "first_request_ms": 33.0,
        "all_begun_ms": 0.0,
        **{f"overhead_ms_{name}": pytest.approx(10.0) for name in ("p50", "p95")},
        **{f"overhead_uncorrected_ms_{name}": pytest.approx(10.0) for name in ("p50", "p95")},
        **{f"model_ms_{name}": 60.0 for name in ("p50", "p95")},
        **{f"verify_ms_{name}": 20.0 for name in ("p50", "p95")},
        **{f"queue_ms_{name}": 10.0 for name in ("p50", "p95")},
        **{f"task_ms_{name}": pytest.approx(of) for name, of in (("p50", 100.0), ("p95", 105.0))},
        **{f"task_uncorrected_ms_{name}": pytest.approx(of) for name, of in (("p50", 100.0), ("p95", 105.0))},
        "task_ms_mean": 105.0,
        "queue_ms_mean": 10.5,
        "max_in_flight": 20,
        "mean_in_flight": pytest.approx(21 * 0.06 / 0.2),
        "endpoint_lateness_ms_p99": 0.5,
        "endpoint_late_share": 0.0,
        "endpoint_cpu_share": pytest.approx(0.4),
        "harness_cpu_share": pytest.approx(0.25),
        "sampler_cpu_share": pytest.approx(0.05),
    }
    # 21 attempts are too few for a p99, there is no plateau, and neither floor nor baseline were measured.
    assert figures == dict.fromkeys(figures) | expected


def test_an_agent_that_begins_late_is_waited_for(build: Build) -> None:
    run = good_run()
    for name in NAMES:
        attempt_of(run, name)["t_begin"] = 2 * MS
    metrics = row(build(run)).metrics
    assert metrics["all_begun_ms"].median == 2.0
    assert metrics["overhead_ms_p50"].median == pytest.approx(10.0)  # and not 8 for those that began late
    assert metrics["overhead_uncorrected_ms_p50"].median == pytest.approx(8.0)
    assert metrics["task_ms_p50"].median == pytest.approx(100.0)
    assert metrics["task_uncorrected_ms_p50"].median == pytest.approx(98.0)


def test_a_task_that_is_begun_late_is_counted_from_its_own_start(build: Build) -> None:
    run = good_run()
    run["tasks"] = dict.fromkeys(NAMES, 5 * MS)
    for name in NAMES:
        attempt_of(run, name)["t_begin"] = 7 * MS
        attempt_of(run, name)["t_request"] = 8 * MS
        for line in (line for line in run["journal"] if line.get("task") == name and line["attempt"] == 1):
            line["t_arrive"] = 9 * MS
    metrics = row(build(run)).metrics
    # From 5 to 100, of which 54 are the model's, 10 the queue's and 20 the test's.
    assert metrics["overhead_ms_p50"].median == pytest.approx(11.0)
    assert metrics["overhead_uncorrected_ms_p50"].median == pytest.approx(9.0)
    assert metrics["task_ms_p50"].median == pytest.approx(95.0)
    assert metrics["task_uncorrected_ms_p50"].median == pytest.approx(93.0)
    # There is no moment at which all should have begun, and no first request of the machine's own making.
    assert metrics["all_begun_ms"].median is None
    assert metrics["first_request_ms"].median is None


def test_a_runtime_is_held_to_the_floor_of_its_own_block(build: Build) -> None:
    pairs = [(4, 1), (8, 4), (6, 1)]
    runs = [
        build(run_with_peak(mib), cell, block)
        for block, pair in enumerate(pairs, start=1)
        for cell, mib in zip((CELL, FLOOR), pair, strict=True)
    ]
    python, lowest = rows(runs, [CELL, FLOOR])
    assert python.metrics["peak_rss_x_floor"].values == [4.0, 2.0, 6.0]
    assert python.metrics["peak_rss_x_floor"].median == 4.0
    assert lowest.metrics["peak_rss_x_floor"].values == [1.0, 1.0, 1.0]
    assert python.metrics["cpu_s_per_task_x_floor"].median == 1.0
    assert python.metrics["peak_rss_x_baseline"].median is None


def test_a_runtime_is_held_to_the_baseline_of_its_own_block(build: Build) -> None:
    go = replace(CELL, runtime="go")
    runs = [
        build(run_with_peak(mib, own_cpu_s=cpu_s), cell, block)
        for block, (mib, cpu_s, cell) in enumerate([(6, 0.5, CELL), (3, 0.1, go)] * 2)
        for block in [block // 2 + 1]
    ]
    python, other = rows(runs, [CELL, go], baseline="go")
    assert python.metrics["peak_rss_x_baseline"].values == [2.0, 2.0]
    assert python.metrics["cpu_s_per_task_x_baseline"].median == pytest.approx(5.0)
    assert python.metrics["overhead_ms_p50_x_baseline"].median == pytest.approx(1.0)
    assert python.metrics["peak_rss_x_baseline"].unit == "times the baseline's"
    assert other.metrics["peak_rss_x_baseline"].values == [1.0, 1.0]
    assert python.metrics["peak_rss_x_floor"].median is None


@pytest.mark.parametrize("change", [{"agents": 21}, {"verifier": "null"}, {"profile": "steady"}])
def test_a_runtime_is_not_held_to_a_floor_of_another_kind(build: Build, change: dict[str, object]) -> None:
    cell = replace(FLOOR, **change)
    python, _ = rows([build(good_run()), build(good_run(), cell)], [CELL, cell])
    assert python.metrics["peak_rss_x_floor"].median is None


def test_the_markdown_table_has_every_row_and_says_why_one_is_not_valid(build: Build) -> None:
    late = good_run()
    change_requests(late_us=[10_500] * 100)(late)
    cell = replace(CELL, runtime="slow")
    text = table(rows([build(good_run()), build(late, cell)], [CELL, cell]))
    heading, rule, sound, struck, empty, reason = text.splitlines()
    assert heading.startswith(
        "| verifier | agents | runtime | peak memory MiB | peak memory ×floor | first attempt | recovered |"
    )
    assert rule.count("|") == heading.count("|")
    figures = "3.00 | – | 19 | 1 | 0 | 0 | 0.050 | 10.0 | 10.0 | – | 0 | 25.0 | 20.0 | 0.20 | 20"
    assert sound == f"| cold | 20 | python | {figures} | 0.50 |"
    times = "~~10.0~~ | ~~10.0~~ | – | ~~0~~ | 25.0 | ~~20.0~~ | ~~0.20~~ | 20"
    assert struck == f"| cold | 20 | slow | 3.00 | – | 19 | 1 | 0 | 0 | 0.050 | {times} | 10.5 |"
    assert empty == ""
    assert reason.startswith("- INVALID time of slow, 20 agents, verifier cold, run 1: the endpoint was late")
    assert "10.5 ms (limit 10 ms): " in reason


def test_a_row_has_the_median_and_the_interval_of_its_runs(build: Build) -> None:
    runs = [build(run_with_peak(mib), block=block) for block, mib in enumerate((2, 4, 3), start=1)]
    metric = row(*runs).metrics["peak_rss_mib"]
    assert metric.median == 3.0
    assert metric.values == [2.0, 4.0, 3.0]
    assert metric.ci95 is not None
    assert metric.ci95[0] < 2.0 < 4.0 < metric.ci95[1]
    assert metric.half_width == (metric.ci95[1] - metric.ci95[0]) / 2 / 3.0
