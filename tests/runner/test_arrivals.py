"""When tasks are due."""

import csv
import json
import math
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdyno.errors import UserError
from agentdyno.runner.checks import parse_arrivals, poisson
from command_line import measured_in, summary

rates = st.floats(0.01, 10_000)
seeds = st.integers(0, 2**32)


def test_all_at_once_is_no_schedule() -> None:
    assert parse_arrivals("at-once")(100, 0) is None


@given(rates, st.integers(1, 200), seeds)
def test_starts_never_go_back_and_depend_on_rate_and_seed_alone(rate: float, count: int, seed: int) -> None:
    starts = poisson(rate)(count, seed)
    assert len(starts) == count
    assert all(type(start) is int and start >= 0 for start in starts)
    assert all(before <= after for before, after in pairwise(starts))
    assert poisson(rate)(count, seed) == starts
    # More tasks are begun later, and nothing else is otherwise.
    assert poisson(rate)(count + 7, seed)[:count] == starts


@given(seeds)
def test_another_seed_is_another_schedule(seed: int) -> None:
    assert poisson(20)(10, seed) != poisson(20)(10, seed + 1)


@pytest.mark.parametrize("rate", [0.5, 20.0])
def test_the_gaps_are_exponential(rate: float) -> None:
    count = 20_000
    starts = parse_arrivals(f"poisson:{rate:g}")(count, 1)
    assert starts is not None
    gaps = [(after - before) * rate / 1e9 for before, after in pairwise([0, *starts])]
    # Five standard errors of a mean, and of a share.
    assert sum(gaps) / count == pytest.approx(1, abs=5 / math.sqrt(count))
    for share in (0.1, 0.5, 0.9, 0.99):
        below = sum(gap < -math.log(1 - share) for gap in gaps) / count
        assert below == pytest.approx(share, abs=5 * math.sqrt(share * (1 - share) / count))


@pytest.mark.parametrize(
    "text", ["poisson", "poisson:", "poisson:0", "poisson:-1", "poisson:nan", "uniform:3"]
)
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(UserError) as refusal:
        parse_arrivals(text)
    assert str(refusal.value) == (
        f"{text!r} is not known; give at-once, or poisson:RATE with a number of tasks a second above 0, "
        "as in poisson:20"
    )


TASKS, RATE = 20, 100


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, starts_processes: None) -> Path:
    """One agent that needs about 80 ms for a task, and a task that comes every 10 ms; two runs."""
    folder = tmp_path_factory.mktemp("measured")
    done = measured_in(
        folder, "--runtimes", "python", "--limit", TASKS, "--agents", 1, "--repeats", 2, "--controls", "none",
        "--arrivals", f"poisson:{RATE}", "--profile", "steady:ttft=50ms,itl=100us", "--verifier", "null",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    (folder / "stdout").write_text(done.stdout)
    return folder


def starts_of(folder: Path) -> dict[str, int]:
    lines = map(json.loads, (folder / f"tasks/{TASKS}.jsonl").read_text().splitlines())
    return {task["task_id"]: task["start_after_ns"] for task in lines}


def test_the_tasks_file_has_the_schedule_of_the_seed(measured: Path) -> None:
    folder = measured / "results" / "latest"
    assert list(starts_of(folder).values()) == poisson(RATE)(TASKS, 0)
    assert summary(measured / "results")["experiment"]["arrivals"] == f"poisson:{RATE}"


def test_no_task_is_begun_before_its_start(measured: Path) -> None:
    folder = measured / "results" / "latest"
    starts = starts_of(folder)
    for run in (folder / "runs").iterdir():
        events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
        t_start = events[0]["t"]
        begun = {event["task"]: event["t_begin"] for event in events if event.get("attempt") == 1}
        assert begun.keys() == starts.keys()
        assert all(begun[task] >= t_start + start for task, start in starts.items())


def test_a_task_counts_from_when_it_was_due_and_not_from_when_an_agent_was_free(measured: Path) -> None:
    (row,) = summary(measured / "results")["rows"]
    metrics = {name: metric["median"] for name, metric in row["metrics"].items()}
    assert metrics["task_ms_p50"] > 3 * metrics["task_uncorrected_ms_p50"]
    for percentile in ("p50", "p95"):
        assert metrics[f"task_ms_{percentile}"] >= metrics[f"task_uncorrected_ms_{percentile}"]
        assert metrics[f"overhead_ms_{percentile}"] >= metrics[f"overhead_uncorrected_ms_{percentile}"]
    # Waiting for the only agent is no doing of the runtime's.
    assert metrics["overhead_ms_p50"] < metrics["task_uncorrected_ms_p50"]
    with (measured / "results" / "latest" / "tasks.csv").open() as file:
        tasks = list(csv.DictReader(file))
    assert len(tasks) == 2 * TASKS
    assert all(0 <= float(task["begin_ms"]) <= float(task["wall_ms"]) for task in tasks)


def test_both_are_shown(measured: Path) -> None:
    (row,) = summary(measured / "results")["rows"]
    printed = (measured / "stdout").read_text().replace("✗", " ")  # which says that a figure is not valid
    lines = [line.split() for line in printed.splitlines()]
    headings = lines.index(["runtime", "from", "due", "from", "begun"])
    due, begun = (row["metrics"][f"{name}_ms_p50"]["median"] for name in ("task", "task_uncorrected"))
    shown = lines[headings + 2]
    assert shown[:2] == ["python", f"{due:,.0f}"]
    assert shown[4] == (f"{begun:.0f}" if begun >= 100 else f"{begun:.1f}")


def test_agents_that_share_a_schedule_are_not_asked_to_be_there_at_once(measured: Path) -> None:
    (row,) = summary(measured / "results")["rows"]
    assert row["metrics"]["max_in_flight"]["values"] == [1, 1]
    assert row["metrics"]["steady_s"]["median"] is None
    assert [failure["gate"] for failure in row["failures"] if failure["is_fault"]] == []
