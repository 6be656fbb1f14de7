"""From a run's folder to a row: figures that can be checked by hand, and each gate failing for its own
reason.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from agentdyno.analysis.measured import MeasuredRun, analyse
from agentdyno.analysis.parts import Parts, parts
from agentdyno.analysis.run_data import Ending, RunData, read
from agentdyno.experiment.cell import Cell
from agentdyno.report.markdown import write_table
from agentdyno.report.summary import Row, rows

MS = 1_000_000
CELL = Cell("python", 2, "cold", "chat-7b")
ENDING = Ending(
    exit_code=0,
    problem=None,
    last_stderr_line=None,
    own_cpu_s=0.5,
    tools_cpu_s=1.0,
    survivors=0,
    workspaces_left=0,
    sampler_cpu_s=0.01,
    endpoint_niceness=0,
    interrupted=False,
)


def attempt(task: str, number: int, verdict: str, begin_ms: int) -> dict[str, Any]:
    """An attempt of 100 ms: 60 model, 10 queue, 20 verify, so 10 overhead."""
    at = [(begin_ms + offset) * MS for offset in (0, 2, 30, 65, 67, 77, 78, 98, 100)]
    names = [
        "t_begin",
        "t_request",
        "t_first",
        "t_last",
        "t_queue",
        "t_spawn",
        "t_started",
        "t_exit",
        "t_end",
    ]
    return {
        "event": "attempt",
        "task": task,
        "attempt": number,
        **dict(zip(names, at, strict=True)),
        "transport_retries": 0,
        "transport_ns": 0,
        "request_sha256": f"{task}-{number}",
        "completion_sha256": "said",
        "usage": None,
        "exit_code": 0 if verdict == "passed" else 1,
        "signal": None,
        "timed_out": False,
        "verdict": verdict,
        "reason": None,
    }


def task(name: str, outcome: str, attempts: int, t_ms: int) -> dict[str, Any]:
    return {
        "event": "task",
        "task": name,
        "t": t_ms * MS,
        "outcome": outcome,
        "attempts": attempts,
        "reason": None,
    }


def request(name: str, number: int, arrive_ms: int, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "request",
        "task": name,
        "attempt": number,
        "t_arrive": arrive_ms * MS,
        "t_last": (arrive_ms + 60) * MS,
        "status": 200,
        "finish": "stop",
        "request_sha256": f"{name}-{number}",
        "in_flight": 2,
        "late_us": [500] * 100,
    } | changes


def good_run() -> dict[str, Any]:
    """Two tasks: `a` passes at once, `b` at its second attempt."""
    return {
        "events": [
            {"event": "run_start", "t": 0, "contract_version": 1, "pid": 1},
            attempt("a", 1, "passed", 0),
            task("a", "passed", 1, 100),
            attempt("b", 1, "failed", 0),
            attempt("b", 2, "passed", 100),
            task("b", "passed", 2, 200),
            {"event": "run_end", "t": 200 * MS},
        ],
        "journal": [
            request("a", 1, 3),
            request("b", 1, 3),
            request("b", 2, 103),
            {"kind": "end", "cpu_s": 0.1},
        ],
        "samples": [
            {"t": t * MS, "peak_rss_kib": peak, "tree_pss_kib": tree}
            for t, peak, tree in ((-5, 99999, 99999), (10, 2048, None), (150, 3072, 4096))
        ],
        "ending": asdict(ENDING),
    }


Record = Callable[..., RunData]
Build = Callable[..., MeasuredRun]


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """Writes a run as the harness leaves it, and reads it back."""

    def make(run: dict[str, Any], cell: Cell = CELL, block: int = 1) -> RunData:
        folder = tmp_path / f"{block:03}-{cell.label}"
        folder.mkdir()
        tasks = folder / "tasks.jsonl"
        tasks.write_text('{"task_id": "a"}\n{"task_id": "b"}\n')
        (folder / "run.json").write_text(json.dumps({"tasks_file": str(tasks), "max_retries": 3}))
        (folder / "outcome.json").write_text(json.dumps(run["ending"]))
        for name in ("events", "journal", "samples"):
            text = "".join(json.dumps(line) + "\n" for line in run[name])
            (folder / f"{name}.jsonl").write_text(text)
        return read(folder, cell, block)

    return make


@pytest.fixture
def build(record: Record) -> Build:
    """The same, and analyses it."""
    return lambda *words, **options: analyse(record(*words, **options))


def row(*runs: MeasuredRun, simulated: bool = True) -> Row:
    (found,) = rows(runs, [runs[0].cell], simulated=simulated)
    return found


def test_the_figures_of_a_run_that_can_be_checked_by_hand(build: Build) -> None:
    found = row(build(good_run()))
    assert found.reasons == []
    assert found.valid
    figures = {name: metric.median for name, metric in found.metrics.items()}
    assert figures == {
        "peak_rss_mib": 3.0,  # what was before the run began does not count
        "tree_peak_pss_mib": 4.0,
        "pass_rate": 1.0,
        "first_attempt_pass": 1,
        "recovered": 1,
        "failed": 0,
        "errors": 0,
        "avg_retries": 0.5,
        "wall_s": 0.2,
        "tasks_per_s": 10.0,
        "cpu_s_per_task": 0.25,
        "all_begun_ms": 0.0,
        "overhead_ms_p50": pytest.approx(10.0),
        "model_ms_p50": pytest.approx(60.0),
        "verify_ms_p50": pytest.approx(20.0),
        "queue_ms_p50": pytest.approx(10.0),
        "max_in_flight": 2,
        "endpoint_lateness_ms_p99": 0.5,
        # Three attempts are too few to tell.
        **{
            f"{part}_ms_{name}": None
            for part in ("overhead", "model", "verify", "queue")
            for name in ("p95", "p99")
        },
        # The floor was not measured.
        "peak_rss_x_floor": None,
        "overhead_ms_p50_x_floor": None,
        "cpu_s_per_task_x_floor": None,
    }


def test_an_agent_that_begins_late_is_waited_for(build: Build) -> None:
    run = good_run()
    for first_attempt in run["events"][1], run["events"][3]:
        first_attempt["t_begin"] = 2 * MS
    metrics = row(build(run)).metrics
    assert metrics["all_begun_ms"].median == 2.0
    assert metrics["overhead_ms_p50"].median == pytest.approx(10.0)  # and not 8 for those that began late


def test_the_parts_of_an_overhead_that_can_be_checked_by_hand(record: Record) -> None:
    run = good_run()
    for first_attempt in run["events"][1], run["events"][3]:
        first_attempt["t_begin"] = MS // 2
    first, *_, last = parts(record(run))
    assert first == Parts(begin=0.5, request=1.5, send=1.0, stream=2.0, files=2.0, spawn=1.0, finish=2.0)
    assert last == Parts(begin=0.0, request=2.0, send=1.0, stream=2.0, files=2.0, spawn=1.0, finish=2.0)


def test_without_a_verification_all_that_follows_the_stream_is_the_finish(record: Record) -> None:
    run = good_run()
    run["events"][1] |= dict.fromkeys(("t_queue", "t_spawn", "t_started", "t_exit")) | {"verdict": "no_code"}
    found = parts(record(run))[0]
    assert (found.files, found.spawn, found.finish) == (0.0, 0.0, 35.0)


def test_a_failed_try_is_no_part_of_the_overhead(record: Record) -> None:
    run = good_run()
    run["events"][1] |= {"transport_retries": 1, "transport_ns": 1 * MS}
    assert parts(record(run))[0].request == 1.0


def run_with_peak(kib: int) -> dict[str, Any]:
    run = good_run()
    run["samples"] = [{"t": 1, "peak_rss_kib": kib, "tree_pss_kib": None}]
    return run


def test_a_runtime_is_held_to_the_floor_of_its_own_block(build: Build) -> None:
    floor = Cell("floor", 2, "cold", "chat-7b")
    pairs = [(4096, 1024), (8192, 4096), (6144, 1024)]
    runs = [
        build(run_with_peak(kib), cell, block)
        for block, pair in enumerate(pairs, start=1)
        for cell, kib in zip((CELL, floor), pair, strict=True)
    ]
    python, lowest = rows(runs, [CELL, floor], simulated=True)
    assert python.metrics["peak_rss_x_floor"].values == [4.0, 2.0, 6.0]
    assert python.metrics["peak_rss_x_floor"].median == 4.0
    assert lowest.metrics["peak_rss_x_floor"].values == [1.0, 1.0, 1.0]
    assert python.metrics["cpu_s_per_task_x_floor"].median == 1.0


@pytest.mark.parametrize(
    "cell",
    [
        Cell("floor", 3, "cold", "chat-7b"),
        Cell("floor", 2, "null", "chat-7b"),
        Cell("floor", 2, "cold", "steady"),
    ],
)
def test_a_runtime_is_not_held_to_a_floor_of_another_kind(build: Build, cell: Cell) -> None:
    python, _ = rows([build(good_run()), build(good_run(), cell)], [CELL, cell], simulated=True)
    assert python.metrics["peak_rss_x_floor"].median is None


def test_the_markdown_table_has_every_row_and_says_why_one_is_not_valid(build: Build, tmp_path: Path) -> None:
    late = good_run()
    change_request(late_us=[10_500] * 100)(late)
    cell = Cell("slow", 2, "cold", "chat-7b")
    write_table(
        tmp_path / "table.md", rows([build(good_run()), build(late, cell)], [CELL, cell], simulated=True)
    )
    heading, rule, sound, struck, empty, reason = (tmp_path / "table.md").read_text().splitlines()
    assert heading.startswith(
        "| verifier | agents | runtime | peak MiB | ×floor | first | recovered | failed |"
    )
    assert rule.count("|") == heading.count("|")
    figures = "3.0 | – | 1 | 1 | 0 | 0 | 0.50 | 10.0 | – | – | 0.0 | 250.0 | 20.0 | 0.2 | 2"
    assert sound == f"| cold | 2 | python | {figures} | 0.5 |"
    assert struck == f"| cold | 2 | ~~slow~~ | {figures} | 10.5 |"
    assert empty == ""
    assert reason == (
        "- INVALID slow, 2 agents, verifier cold, run 1: the endpoint was late, p99 10.5 ms (limit 10 ms): "
        "lower --verify-slots or --agents, or give it a free core"
    )


def test_a_row_has_the_median_and_the_interval_of_its_runs(build: Build) -> None:
    runs = []
    for block, peak in enumerate((2048, 4096, 3072), start=1):
        runs.append(build(run_with_peak(peak), block=block))
    metric = row(*runs).metrics["peak_rss_mib"]
    assert metric.median == 3.0
    assert metric.values == [2.0, 4.0, 3.0]
    assert metric.ci95 is not None
    assert 2.0 <= metric.ci95[0] < 3.0 < metric.ci95[1] <= 4.0


def change_ending(**changes: Any) -> Callable[[dict[str, Any]], object]:
    return lambda run: run["ending"].update(changes)


def change_request(**changes: Any) -> Callable[[dict[str, Any]], object]:
    return lambda run: [line.update(changes) for line in run["journal"] if line["kind"] == "request"]


def retry_in_transport(run: dict[str, Any]) -> None:
    run["events"][3]["transport_retries"] = 2


def end_as_error(run: dict[str, Any]) -> None:
    run["events"][1] |= {"verdict": "error", "completion_sha256": None}
    run["events"][2] |= {"outcome": "error", "reason": "the endpoint answered 401"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            change_ending(exit_code=-11),
            "the runtime ended with signal 11; see runs/001-python-2-cold-chat-7b/runtime.stderr",
        ),
        (
            change_ending(exit_code=2, last_stderr_line="run.json: no field agents"),
            "the runtime ended with status 2: run.json: no field agents; "
            "see runs/001-python-2-cold-chat-7b/runtime.stderr",
        ),
        (change_ending(survivors=2), "processes that outlived the runtime and were killed: 2"),
        (change_ending(workspaces_left=1), "workspaces that were left behind and removed: 1"),
        (
            lambda run: run["journal"].pop(),
            "the endpoint did not end in order, so its journal may lack requests; see endpoint.stderr",
        ),
        (
            change_request(request_sha256="other"),
            "3 completions reported that the endpoint did not serve to a request of that task, attempt and "
            "request_sha256, the first: a attempt 1",
        ),
        (
            change_request(in_flight=1),
            "the endpoint saw 1 requests at once where 2 agents should have had one each: "
            "the runtime caps its connections, or the profile answers too soon",
        ),
        (
            change_request(late_us=[10_500] * 100),
            "the endpoint was late, p99 10.5 ms (limit 10 ms): "
            "lower --verify-slots or --agents, or give it a free core",
        ),
        (
            retry_in_transport,
            "2 requests were made again though the endpoint had not failed, the first for b attempt 1: "
            "see its lines in journal.jsonl and events.jsonl",
        ),
        (lambda run: run["events"].pop(2), "1 task lost, without any outcome: a"),
        (
            end_as_error,
            "tasks that ended as errors: 1, the first: a, the endpoint answered 401",
        ),
    ],
)
def test_each_gate_fails_for_its_own_reason(
    build: Build, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    run = good_run()
    change(run)
    found = row(build(run))
    assert found.reasons == [f"run 1: {reason}"]
    assert not found.valid


def test_the_instant_profile_is_not_asked_for_concurrency(build: Build) -> None:
    run = good_run()
    change_request(in_flight=1)(run)
    assert row(build(run, cell=Cell("python", 2, "cold", "instant"))).valid


def test_other_requests_than_in_the_first_run_are_noticed(build: Build) -> None:
    other = good_run()
    for line in other["events"][4], other["journal"][2]:
        line["request_sha256"] = "changed"
    found = row(build(good_run()), build(other, block=2))
    assert found.reasons == [
        "run 2: 1 requests differ from those of 001-python-2-cold-chat-7b, the first: b attempt 2"
    ]


def test_what_most_runs_asked_is_what_the_others_are_held_to(build: Build) -> None:
    odd = good_run()
    for line in odd["events"][4], odd["journal"][2]:
        line["request_sha256"] = "changed"
    found = row(build(odd), build(good_run(), block=2), build(good_run(), block=3))
    assert found.reasons == [
        "run 1: 1 requests differ from those of 002-python-2-cold-chat-7b, the first: b attempt 2"
    ]


def test_a_real_model_may_answer_otherwise_and_so_be_asked_otherwise(build: Build) -> None:
    cell = Cell("python", 2, "cold", "real:m")
    other = good_run()
    for line in other["events"][4], other["journal"][2]:
        line["request_sha256"] = "changed"
    assert row(build(good_run(), cell), build(other, cell, block=2), simulated=False).valid


def test_other_outcomes_than_in_the_first_run_are_noticed(build: Build) -> None:
    other = good_run()
    del other["events"][4]
    other["events"][3]["verdict"] = "passed"
    other["events"][4]["attempts"] = 1
    del other["journal"][2]
    found = row(build(good_run()), build(other, block=2))
    assert found.reasons == [
        "run 2: 1 requests differ from those of 001-python-2-cold-chat-7b, the first: b attempt 2",
        "run 2: 1 outcomes differ from those of 001-python-2-cold-chat-7b, the first: b",
    ]


def test_a_run_is_not_held_to_one_that_crashed(build: Build) -> None:
    crashed = good_run()
    del crashed["events"][3:], crashed["journal"][1:3]
    change_ending(exit_code=-11)(crashed)
    cells = [Cell("broken", 2, "cold", "chat-7b"), CELL]
    broken, sound = rows(
        [build(crashed, cells[0]), build(good_run(), cells[1], block=2)], cells, simulated=True
    )
    assert not broken.valid
    assert sound.reasons == []


def test_a_runtime_on_another_clock_is_noticed(build: Build) -> None:
    run = good_run()
    for event in run["events"]:
        event |= {name: t + 10**15 for name, t in event.items() if name.startswith("t_") or name == "t"}
    assert row(build(run)).reasons == [
        "run 1: 3 attempts whose request the endpoint got at another time, the first: a attempt 1; "
        "the runtime's times are not CLOCK_MONOTONIC"
    ]
