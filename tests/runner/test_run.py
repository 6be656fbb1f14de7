"""The main job, end to end: the Python runtime, the simulated endpoint, pytest, and what is left on disk."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from agentdyno.analysis.ledger import PARTS
from agentdyno.analysis.registry import METRICS
from command_line import Agentdyno, measured_in, on_a_terminal, processes_in, summary, write_tasks

TASKS, REPEATS = 24, 2


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, starts_processes: None) -> Path:
    """The results folder of one small experiment: every kind of outcome, twice."""
    folder = tmp_path_factory.mktemp("measured")
    done = measured_in(
        folder, "--runtimes", "python", "--limit", TASKS, "--agents", TASKS, "--repeats", REPEATS,
        "--controls", "none", "--profile", "steady:ttft=50ms,itl=1ms", "--verify-timeout", 4,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    (folder / "stdout").write_text(done.stdout)
    return folder


def row_of(measured: Path) -> dict[str, Any]:
    (row,) = summary(measured / "results")["rows"]
    found: dict[str, Any] = row
    return found


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def run_folders(measured: Path) -> list[Path]:
    return sorted((measured / "results" / "latest" / "runs").iterdir())


def test_the_summary_has_every_metric_with_its_values(measured: Path) -> None:
    document = summary(measured / "results")
    assert document["schema_version"] == 4
    row = row_of(measured)
    assert (row["runtime"], row["agents"], row["verifier"]) == ("python", TASKS, "cold")
    units = {name: metric["unit"] for name, metric in row["metrics"].items()}
    assert units == {name: metric.unit for name, metric in METRICS.items()}
    for metric in row["metrics"].values():
        assert set(metric) == {"median", "ci95", "values", "unit"}
        assert len(metric["values"]) == REPEATS
    assert document["experiment"]["complete"] is True
    assert {"cpu", "cpus", "kernel", "memory_mib", "python", "git_commit"} <= set(document["environment"])


def test_the_outcomes_add_up_in_every_run(measured: Path) -> None:
    figures = row_of(measured)["metrics"]
    for run in range(REPEATS):
        first, recovered, failed, errors = (
            figures[name]["values"][run] for name in ("first_attempt_pass", "recovered", "failed", "errors")
        )
        assert first + recovered + failed + errors == TASKS
        assert figures["pass_rate"]["values"][run] == (first + recovered) / TASKS


def test_the_loop_is_real_some_recover_and_some_never_pass(measured: Path) -> None:
    figures = row_of(measured)["metrics"]
    assert figures["recovered"]["values"] == [2] * REPEATS
    assert figures["failed"]["values"] == [1] * REPEATS
    assert figures["avg_retries"]["median"] > 0


def test_repeats_have_identical_requests_and_outcomes(measured: Path) -> None:
    seen = [
        Counter(
            (line["task"], line["attempt"], line["request_sha256"], line["completion_sha256"])
            for line in lines(folder / "journal.jsonl")
            if line["kind"] == "request"
        )
        for folder in run_folders(measured)
    ]
    assert len(seen) == REPEATS
    assert seen[0] == seen[1]
    outcomes = [
        {
            line["task"]: (line["outcome"], line["attempts"])
            for line in lines(folder / "events.jsonl")
            if line["event"] == "task"
        }
        for folder in run_folders(measured)
    ]
    assert outcomes[0] == outcomes[1]


def test_runtime_and_endpoint_agree_on_the_body_of_every_request(measured: Path) -> None:
    for folder in run_folders(measured):
        reported = {
            (line["task"], line["attempt"]): (line["request_sha256"], line["completion_sha256"])
            for line in lines(folder / "events.jsonl")
            if line["event"] == "attempt"
        }
        served = {
            (line["task"], line["attempt"]): (line["request_sha256"], line["completion_sha256"])
            for line in lines(folder / "journal.jsonl")
            if line["kind"] == "request"
        }
        assert reported == served


def test_all_agents_were_in_flight_at_once(measured: Path) -> None:
    assert row_of(measured)["metrics"]["max_in_flight"]["values"] == [TASKS] * REPEATS


def test_samples_come_every_20_ms_or_better(measured: Path) -> None:
    for folder in run_folders(measured):
        times = [line["t"] for line in lines(folder / "samples.jsonl")]
        mean_ms = (times[-1] - times[0]) / (len(times) - 1) / 1e6
        assert mean_ms <= 20


def test_the_peak_is_that_of_the_runtime_and_not_of_a_child_being_made(measured: Path) -> None:
    for folder in run_folders(measured):
        peaks = [line["peak_rss_kib"] for line in lines(folder / "samples.jsonl")]
        # A high-water mark falls only by the kernel's imprecision; a child counted in would double it.
        assert max(peaks) < 1.05 * peaks[-1]


def test_tasks_csv_has_a_row_per_task_and_run_and_its_times_add_up(measured: Path) -> None:
    with (measured / "results" / "latest" / "tasks.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == TASKS * REPEATS
    for row in rows:
        parts = [float(row[f"{part}_ms"]) for part in ("model", "queue", "verify", "overhead")]
        assert sum(parts) == pytest.approx(float(row["wall_ms"]), abs=0.01)
        assert min(parts) >= 0


def test_the_cold_start_is_in_the_order_of_time(measured: Path) -> None:
    figures = row_of(measured)["metrics"]
    for start, first_request in zip(
        figures["start_ms"]["values"], figures["first_request_ms"]["values"], strict=True
    ):
        assert 0 < start < first_request


def test_what_measuring_took_is_part_of_every_row(measured: Path) -> None:
    figures = row_of(measured)["metrics"]
    for run in range(REPEATS):
        endpoint, harness, sampler = (
            figures[f"{who}_cpu_share"]["values"][run] for who in ("endpoint", "harness", "sampler")
        )
        assert endpoint > 0
        assert harness > sampler > 0
    printed = (measured / "stdout").read_text().splitlines()
    shares = [
        METRICS[f"{who}_cpu_share"].with_unit(figures[f"{who}_cpu_share"]["median"])
        for who in ("endpoint", "harness", "sampler")
    ]
    said = "measuring took: endpoint CPU {}, harness CPU {}, sampler CPU {}"
    assert said.format(*shares) in printed


def test_each_run_has_a_ledger_that_balances(measured: Path) -> None:
    for folder in run_folders(measured):
        with (folder / "ledger.csv").open() as file:
            attempts = list(csv.DictReader(file))
        assert len(attempts) > TASKS
        for attempt in attempts:
            assert list(attempt) == ["task", "attempt", "verdict", "wall", *PARTS, "overhead"]
            parts = {name: float(attempt[name]) for name in PARTS}
            assert sum(parts.values()) == pytest.approx(float(attempt["wall"]), abs=1)
            theirs = sum(parts[name] for name in ("transport", "model", "queue", "verify"))
            assert theirs + float(attempt["overhead"]) == pytest.approx(float(attempt["wall"]), abs=0.01)


def test_the_ledger_of_an_experiment_is_printed_row_by_row(measured: Path, agentdyno: Agentdyno) -> None:
    done = agentdyno("ledger", measured / "results" / "latest")
    assert done.returncode == 0, done.stderr
    title, headings, line, empty, note = done.stdout.strip().splitlines()
    assert title.rstrip() == "milliseconds of an attempt, means, verifier cold"
    assert headings.split() == [
        "runtime", "agents", "begin", "prompt", "(transport)", "send", "(model)", "stream", "extract",
        "(queue)", "spawn", "(verify)", "bookkeeping", "wall", "overhead",
    ]  # fmt: skip
    assert (empty, note) == ("", "(in parentheses: not overhead)")
    runtime, agents, *figures = line.split()
    assert (runtime, agents) == ("python", str(TASKS))
    *parts, wall, overhead = (float(figure.replace(",", "")) for figure in figures)
    assert sum(parts) == pytest.approx(wall, rel=0.02)  # each is rounded
    own = [part for name, part in zip(PARTS, parts, strict=True) if f"({name})" not in headings]
    assert sum(own) == pytest.approx(overhead, rel=0.05)
    markdown = agentdyno("ledger", measured / "results" / "latest", "--markdown").stdout.splitlines()
    assert markdown[2] == f"| cold | {TASKS} | python | {' | '.join(figures)} |"


def test_a_ledger_of_what_is_no_experiment(agentdyno: Agentdyno, tmp_path: Path) -> None:
    done = agentdyno("ledger", tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        f"agentdyno: {tmp_path}/summary.json: no such file; "
        "name the folder of an experiment, as results/raw/TIME\n"
    )


def test_the_runtime_is_not_given_the_references(measured: Path) -> None:
    for folder in run_folders(measured):
        run_file = json.loads((folder / "run.json").read_text())
        given = lines(Path(run_file["tasks_file"]))
        assert len(given) == TASKS
        assert all(set(task) == {"task_id", "prompt", "tests", "entry_point"} for task in given)


def test_nothing_stays_behind(measured: Path) -> None:
    assert list(measured.glob("agentdyno-*")) == []
    assert processes_in(measured) == {}


def test_what_is_printed_fits_80_columns(measured: Path) -> None:
    printed = (measured / "stdout").read_text().splitlines()
    sentences = ("INVALID", "results:", "measuring took", "no room in 80 columns for ", "fewer than 3 runs")
    table = [line for line in printed if not line.startswith(sentences)]
    assert max(map(len, table)) <= 80
    assert any(line.startswith("python ") for line in table)


@pytest.mark.usefixtures("starts_processes")
def test_on_a_terminal_progress_is_live_and_leaves_one_line_a_run(
    environment: dict[str, str], tasks: Path, tmp_path: Path
) -> None:
    words = ["--runtimes", "python", "--tasks", tasks, "--limit", 4, "--agents", 4, "--controls", "none"]
    words += ["--profile", "instant", "--verifier", "null", "--out", tmp_path / "results"]
    shown = on_a_terminal(environment, 80, "run", *words)
    assert "\x1b[" in shown
    assert "4/4 tasks, 4 passed, " in shown.rpartition("run 1/1: python, 4 agents, null, instant")[2]


def test_check_is_content_with_this_machine(agentdyno: Agentdyno) -> None:
    done = agentdyno("check")
    assert done.stdout.endswith("ready\n")
    assert done.returncode == 0


def test_check_says_what_too_many_agents_lack(agentdyno: Agentdyno) -> None:
    done = agentdyno("check", "--agents", 10_000_000)
    said = " ".join(done.stdout.split())
    assert "MISSING open files not usable: 10000000 agents need" in said
    assert "MISSING memory" in said
    assert done.returncode == 1


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory, starts_processes: None) -> Path:
    """The folder of an experiment with two numbers of agents and two verifiers, with what it printed."""
    folder = tmp_path_factory.mktemp("varied")
    done = measured_in(
        folder, "--runtimes", "python", "--tasks", write_tasks(folder / "tasks.jsonl"), "--limit", 6,
        "--agents", "2,9", "--controls", "none", "--profile", "steady:ttft=200ms,itl=1ms",
        "--verifier", "null,cold",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    (folder / "stdout").write_text(done.stdout)
    return folder


def run_files(varied: Path) -> list[dict[str, Any]]:
    return [json.loads((folder / "run.json").read_text()) for folder in run_folders(varied)]


def test_tasks_are_repeated_up_to_the_limit_and_to_one_an_agent(varied: Path) -> None:
    given = [[task["task_id"] for task in lines(Path(run["tasks_file"]))] for run in run_files(varied)]
    first, second = [f"double/{number}" for number in range(4)], [f"double/{number}#2" for number in range(4)]
    of_6, of_9 = first + second[:2], [*first, *second, "double/0#3"]
    assert sorted(given) == sorted([of_6, of_6, of_9, of_9])


def test_each_verifier_makes_rows_of_its_own(varied: Path) -> None:
    rows = summary(varied / "results")["rows"]
    assert [(row["verifier"], row["agents"]) for row in rows] == [
        ("null", 2), ("null", 9), ("cold", 2), ("cold", 9),
    ]  # fmt: skip
    assert {run["verify"]["argv"][2] for run in run_files(varied)} == {"echo", "python3"}
    printed = (varied / "stdout").read_text().splitlines()
    titles = [line.strip() for line in printed if line.startswith("milliseconds of an")]
    assert titles == [f"milliseconds of an attempt, verifier {name}" for name in ("null", "cold")]
