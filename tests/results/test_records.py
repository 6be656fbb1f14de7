"""Records against the files that they are of, and against the table."""

import csv
import json
import re
import shutil
import signal
import statistics
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import agentdyno
from agentdyno.analysis.ledger import PARTS
from agentdyno.analysis.registry import METRICS
from command_line import running, wait_for

KINDS = ("values", "tasks", "attempts", "requests", "samples")
CELLS = {("python", ""), ("floor", ""), ("python", "twin")}


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def events(run: agentdyno.Run, kind: str) -> list[dict[str, Any]]:
    return [line for line in lines(run.folder / "events.jsonl") if line["event"] == kind]


def test_every_run_is_there(experiment: agentdyno.Experiment) -> None:
    assert {(run.cell.runtime, run.cell.control, run.block) for run in experiment.runs} == {
        (*cell, block) for cell in CELLS for block in (1, 2)
    }
    for kind in KINDS[1:]:
        records = getattr(experiment, kind)
        assert {(record.runtime, record.control) for record in records} == CELLS
        assert {(record.agents, record.verifier, record.profile) for record in records} == {
            (5, "cold", "instant")
        }


def test_attempts_are_the_events(experiment: agentdyno.Experiment) -> None:
    for run in experiment.runs:
        (start,) = events(run, "run_start")
        written, found = events(run, "attempt"), list(experiment.attempts.of([run]))
        assert len(found) == len(written) >= 10
        for attempt, event in zip(found, written, strict=True):
            for name in ("task", "attempt", "verdict", "reason", "exit_code", "signal", "timed_out"):
                assert getattr(attempt, name) == event[name]
            assert attempt.prompt_tokens == event["usage"]["prompt_tokens"]
            assert attempt.completion_tokens == event["usage"]["completion_tokens"]
            assert attempt.completion_sha256 == event["completion_sha256"]
            for phase in ("t_begin", "t_first", "t_queue", "t_exit", "t_end"):
                since = None if event[phase] is None else (event[phase] - start["t"]) / 1e6
                assert getattr(attempt, f"{phase}_ms") == since


def test_parts_are_those_of_the_ledger(experiment: agentdyno.Experiment) -> None:
    for run in experiment.runs:
        with (run.folder / "ledger.csv").open(newline="") as file:
            ledger = list(csv.DictReader(file))
        found = [attempt for attempt in experiment.attempts.of([run]) if attempt.wall_ms is not None]
        assert len(found) == len(ledger) >= 10
        for attempt, line in zip(found, ledger, strict=True):
            assert (attempt.task, str(attempt.attempt)) == (line["task"], line["attempt"])
            for name in ("wall", *PARTS, "overhead"):
                assert round(getattr(attempt, f"{name}_ms"), 3) == float(line[name])


def test_tasks_are_those_of_tasks_csv(experiment: agentdyno.Experiment) -> None:
    with (experiment.folder / "tasks.csv").open(newline="") as file:
        written = list(csv.DictReader(file))
    found = list(experiment.tasks)
    assert len(found) == len(written) == 60
    for task, line in zip(found, written, strict=True):
        assert [task.runtime, task.control, str(task.block)] == [
            line["runtime"],
            line["control"],
            line["run"],
        ]
        assert [task.task, task.outcome, str(task.attempts)] == [
            line["task"],
            line["outcome"],
            line["attempts"],
        ]
        for name in ("wall_ms", "begin_ms", "model_ms", "queue_ms", "verify_ms", "overhead_ms"):
            assert round(getattr(task, name), 3) == float(line[name])


def test_a_median_of_attempts_is_that_of_the_table(experiment: agentdyno.Experiment) -> None:
    """Whoever plots attempts sees what the table says."""
    assert [row.cell.runtime for row in experiment.rows] == ["python", "floor"]
    for row in experiment.rows:
        runs = experiment.runs_of(row.cell)
        for metric, part in (("overhead_ms_p50", "overhead_ms"), ("verify_ms_p50", "verify_ms")):
            medians = [
                statistics.median(
                    value
                    for attempt in experiment.attempts.of([run])
                    if (value := getattr(attempt, part)) is not None
                )
                for run in runs
            ]
            assert medians == pytest.approx(row.metrics[metric].values)
            assert statistics.median(medians) == pytest.approx(row.metrics[metric].median)
        walls = [[task.wall_ms for task in experiment.tasks.of([run])] for run in runs]
        assert [statistics.median(wall) for wall in walls] == pytest.approx(row.metrics["task_ms_p50"].values)


def test_a_peak_of_samples_is_that_of_the_table(experiment: agentdyno.Experiment) -> None:
    for row in experiment.rows:
        for metric, field in (("peak_rss_mib", "peak_rss_kib"), ("tree_peak_pss_mib", "tree_pss_kib")):
            peaks = [
                max(
                    getattr(sample, field) or 0
                    for sample in experiment.samples.of([run])
                    if sample.t_ms is not None and sample.t_ms >= 0
                )
                / 1024
                for run in experiment.runs_of(row.cell)
            ]
            assert peaks == row.metrics[metric].values


def test_samples_are_the_looks(experiment: agentdyno.Experiment) -> None:
    for run in experiment.runs:
        (start,) = events(run, "run_start")
        looks, found = lines(run.folder / "samples.jsonl"), list(experiment.samples.of([run]))
        assert len(found) == len(looks) >= 10
        for sample, look in zip(found, looks, strict=True):
            since = {"t_ms": (look.pop("t") - start["t"]) / 1e6}
            fields = asdict(sample)
            assert {name: fields[name] for name in (*look, "t_ms")} == look | since


def test_requests_are_the_journal(experiment: agentdyno.Experiment) -> None:
    for run in experiment.runs:
        journal = [line for line in lines(run.folder / "journal.jsonl") if line["kind"] == "request"]
        found = list(experiment.requests.of([run]))
        assert len(found) == len(journal) >= 10
        for request, line in zip(found, journal, strict=True):
            for name in ("task", "attempt", "in_flight", "status", "finish", "request_sha256"):
                assert getattr(request, name) == line[name]
            assert request.chunks == len(line["late_us"])
            assert request.max_late_ms == max(line["late_us"]) / 1000
        gauge = max(request.in_flight for request in found)
        if not run.cell.control:
            assert gauge == experiment.by_block(run.cell, "max_in_flight")[run.block]
        # Both clocks are one: a request is sent before it arrives.
        sent = {(attempt.task, attempt.attempt): attempt for attempt in experiment.attempts.of([run])}
        for request in found:
            assert request.task is not None
            assert request.attempt is not None
            attempt = sent[request.task, request.attempt]
            assert attempt.t_request_ms is not None
            assert request.t_arrive_ms is not None
            assert attempt.send_ms == pytest.approx(request.t_arrive_ms - attempt.t_request_ms)


def test_values_are_those_of_the_summary(experiment: agentdyno.Experiment) -> None:
    found = list(experiment.values)
    assert len(found) == 4 * len(experiment.rows[0].metrics)
    for row in experiment.rows:
        for name, metric in row.metrics.items():
            its = {
                value.block: value.value
                for value in found
                if (value.runtime, value.metric) == (row.cell.runtime, name)
            }
            assert its == experiment.by_block(row.cell, name)
            assert {value.unit for value in found if value.metric == name} == {metric.unit}
        its = [value for value in found if value.runtime == row.cell.runtime]
        assert all(value.valid == row.has_valid(value.metric) for value in its)


def test_they_can_be_iterated_over_again_and_read_nothing_but_what_is_asked_for(
    experiment: agentdyno.Experiment, tmp_path: Path
) -> None:
    folder = tmp_path / "moved"
    shutil.copytree(experiment.folder.resolve(), folder)
    moved = agentdyno.open_experiment(folder)
    assert list(moved.attempts) == list(moved.attempts) == list(experiment.attempts)
    first, *others = moved.runs
    for run in others:
        shutil.rmtree(run.folder)
    assert list(moved.attempts.of([first])) == list(experiment.attempts.of(experiment.runs[:1]))
    assert repr(moved) == f"Experiment(path={folder / 'summary.json'!r})"
    assert repr(moved.attempts) == "<Attempt records of 6 runs>"
    assert repr(moved.attempts.of([first])) == "<Attempt records of 1 run>"

    read = iter(moved.attempts)
    assert next(read).task  # the first run is there, and no other was opened for it
    with pytest.raises(agentdyno.UserError, match=re.escape(f"{others[0].folder}/run.json: no such file; ")):
        list(read)


def test_a_copied_summary_has_rows_and_values_and_refuses_the_rest(
    experiment: agentdyno.Experiment, copied: Path
) -> None:
    copy = agentdyno.open_experiment(copied)
    assert copy.rows == experiment.rows
    assert list(copy.values) == list(experiment.values)
    assert copy.values.arrow() == experiment.values.arrow()
    run = copied.parent / copy.runs[0].folder.relative_to(copied.parent)
    for kind in KINDS[1:]:
        with pytest.raises(agentdyno.UserError) as refused:
            getattr(copy, kind).pandas()
        assert str(refused.value) == (
            f"{run}/run.json: no such file; name results whose runs are whole, or measure again"
        )


def test_an_experiment_without_a_run(copied: Path) -> None:
    document = json.loads(copied.read_text())
    document["rows"] = document["controls"] = document["experiment"]["runs"] = []
    copied.write_text(json.dumps(document))
    nothing = agentdyno.open_experiment(copied)
    assert nothing.rows == []
    for kind in KINDS:
        assert list(getattr(nothing, kind)) == []


def test_what_is_no_experiment(tmp_path: Path) -> None:
    with pytest.raises(agentdyno.UserError) as refused:
        agentdyno.open_experiment(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path}/summary.json: no such file; name the folder of an experiment, as results/raw/TIME"
    )


@pytest.mark.usefixtures("starts_processes")
def test_an_interrupted_experiment(tmp_path: Path, environment: dict[str, str]) -> None:
    words = ["--runtimes", "python", "--agents", 1, "--limit", 30, "--verifier", "null", "--controls", "none"]
    with running(environment, tmp_path, *words, "--profile", "steady:ttft=300ms,itl=1ms") as process:
        wait_for("results/raw/*/runs/001-*/events.jsonl", tmp_path, process)
        (path,) = tmp_path.glob("results/raw/*/runs/001-*/events.jsonl")
        while '"outcome"' not in path.read_text():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130

    experiment = agentdyno.open_experiment(tmp_path / "results" / "latest")
    assert experiment.document["experiment"]["complete"] is False
    (run,) = experiment.runs
    found = list(experiment.attempts)
    assert [(attempt.task, attempt.attempt, attempt.verdict) for attempt in found] == [
        (event["task"], event["attempt"], event["verdict"]) for event in events(run, "attempt")
    ]
    assert 1 <= len(found) < 30
    assert {(attempt.verdict, attempt.overhead_ms is None) for attempt in found} <= {
        ("passed", False),
        ("interrupted", True),
    }
    tasks = list(experiment.tasks)
    assert len(tasks) == 30
    assert {(task.outcome, task.reason) for task in tasks} == {("passed", None), ("error", "interrupted")}
    of_the_runtime = [value for value in experiment.values if METRICS[value.metric].kind != "instrument"]
    assert {value.valid for value in of_the_runtime} == {False}
    assert experiment.tasks.arrow().num_rows == len(experiment.tasks.pandas()) == 30
