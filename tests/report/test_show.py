"""`agentdyno show`, and the documents that `run` and `sweep` print."""

import csv
import io
import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from agentdyno.analysis.capacity import Capacity
from agentdyno.analysis.registry import METRICS
from agentdyno.analysis.statistics import Slope
from agentdyno.report.terminal import print_findings
from agentdyno.results.documents import table
from agentdyno.results.summary import CELL
from agentdyno.results.sweep import Point, Swept, as_json, sweep_markdown
from command_line import agentdyno_command, on_a_terminal
from report.synthetic import LATE, experiment, row, write
from snapshot import is_as_it_was

RATIOS = {"peak_rss_x_floor": 39.5, "peak_rss_x_baseline": 1.0}
MADE_UP = experiment(
    [
        row(name, *failures, peak_rss_mib=peak, overhead_ms_p50=overhead, cpu_s_per_task=cpu_s, **RATIOS)
        for name, failures, peak, overhead, cpu_s in (
            ("python", [LATE], (18.4, 18.38, 18.43), (14.3, 10.5, 20.9), 0.0123),
            ("rust", [], (6.1, 6.04, 6.12), (6.1, 3.8, 11.8), 0.0057),
            ("go", [], (11.0, 10.8, 11.4), (8.5, 7.7, 9.6), 0.0126),
        )
    ]
)
SMALL = (
    "--runtimes", "python", "--limit", 4, "--agents", 4, "--controls", "none",
    "--profile", "instant", "--verifier", "null",
)  # fmt: skip

Agentdyno = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """Ours without anything that steers agentdyno or what it prints."""
    steering = ("LLM_", "BENCH_", "COLUMNS", "NO_COLOR", "FORCE_COLOR", "TTY_")
    return {name: value for name, value in os.environ.items() if not name.startswith(steering)}


@pytest.fixture(scope="module")
def agentdyno(environment: dict[str, str], starts_processes: None) -> Agentdyno:
    def run(*words: object, **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            agentdyno_command(*words),
            env=environment | more,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "summary.json", MADE_UP)
    return tmp_path


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, agentdyno: Agentdyno) -> Path:
    """A small experiment, with what was printed in `stdout` and `stderr`."""
    out = tmp_path_factory.mktemp("measured")
    done = agentdyno("run", *SMALL, "--json", "--out", out)
    assert done.returncode in (0, 1), done.stderr
    (out / "stdout").write_text(done.stdout)
    (out / "stderr").write_text(done.stderr)
    return out


def expected(width: int) -> str:
    out = io.StringIO()
    print_findings(Console(file=out, width=width, markup=False), MADE_UP)
    return out.getvalue()


@pytest.mark.parametrize(
    ("variables", "width"), [({}, 100), ({"COLUMNS": "50"}, 50), ({"COLUMNS": "wide"}, 100)]
)
def test_a_pipe_has_100_columns_unless_columns_says_otherwise(
    folder: Path, agentdyno: Agentdyno, variables: dict[str, str], width: int
) -> None:
    done = agentdyno("show", folder, **variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == expected(width)


def test_a_summary_that_was_copied_elsewhere_is_shown_as_well(folder: Path, agentdyno: Agentdyno) -> None:
    copy = (folder / "summary.json").rename(folder / "ten.json")
    (folder / "sweep.json").write_text("another experiment's")
    assert agentdyno("show", copy).stdout == expected(100)
    assert agentdyno("show", copy, "--json").stdout == copy.read_text()


def test_what_has_no_summary(tmp_path: Path, agentdyno: Agentdyno) -> None:
    done = agentdyno("show", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"agentdyno: {tmp_path}/summary.json: no such file; "
        "name the folder of an experiment, as results/raw/TIME\n"
    )


def test_only_one_document_at_a_time(folder: Path, agentdyno: Agentdyno) -> None:
    done = agentdyno("show", folder, "--json", "--csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert "argument --csv: not allowed with argument --json" in done.stderr


@pytest.mark.usefixtures("starts_processes")
def test_a_terminal_is_as_wide_as_it_is_and_styled(folder: Path, environment: dict[str, str]) -> None:
    text = on_a_terminal(environment, 60, "show", folder)
    assert re.search(r"\nno room in 60 columns for .*\n  .*: --json has them\n", text)
    assert "\x1b[1;32m6.10*\x1b[0m" in text
    assert "\x1b[9m14.3\x1b[0m✗" in text
    assert (
        "\x1b[31mINVALID time of python, 100 agents, verifier cold, run 1:\x1b[0m\n"
        "\x1b[31m  the endpoint was late, p99 12.4 ms (limit 10 ms): give it\x1b[0m\n"
        "\x1b[31m  a free core\x1b[0m\n"
    ) in text


@pytest.mark.usefixtures("starts_processes")
def test_no_color_is_obeyed(folder: Path, environment: dict[str, str]) -> None:
    text = on_a_terminal(environment | {"NO_COLOR": "1"}, 60, "show", folder)
    assert "\x1b[1m6.10*\x1b[0m" in text
    assert "\x1b[9m14.3\x1b[0m✗" in text
    assert "\x1b[31m" not in text


def test_csv_has_median_and_interval_of_every_metric_as_in_the_summary(
    folder: Path, agentdyno: Agentdyno
) -> None:
    lines = list(csv.DictReader(io.StringIO(agentdyno("show", folder, "--csv").stdout)))
    assert [tuple(line[name] for name in (*CELL, "valid")) for line in lines] == [
        ("python", "100", "cold", "chat-7b", "false"),
        ("rust", "100", "cold", "chat-7b", "true"),
        ("go", "100", "cold", "chat-7b", "true"),
    ]
    assert [line["invalid_kinds"] for line in lines] == ["time", "", ""]
    assert [line["failures"] for line in lines] == [
        "run 1: the endpoint was late, p99 12.4 ms (limit 10 ms): give it a free core", "", "",
    ]  # fmt: skip
    for line, found in zip(lines, MADE_UP.summary.rows, strict=True):
        figures = {
            f"{name} {which} [{metric.unit}]": value
            for name, metric in found.metrics.items()
            for which, value in zip(
                ("median", "low", "high"), (metric.median, *(metric.ci95 or (None, None))), strict=True
            )
        }
        assert list(line) == [*CELL, "valid", "invalid_kinds", "failures", *figures]
        assert {name: float(line[name]) if line[name] else None for name in figures} == figures
    assert lines[0]["peak_rss_mib low [MiB]"] == "18.38"
    assert lines[0]["cpu_s_per_task median [s/task]"] == "0.0123"


def test_markdown_is_the_table_with_intervals_of_what_a_runtime_is_picked_by(
    folder: Path, agentdyno: Agentdyno
) -> None:
    text = agentdyno("show", folder, "--markdown").stdout
    assert text == table(MADE_UP.summary.rows)
    assert is_as_it_was("table-md", text)
    heading, _, python, *_ = text.splitlines()
    cells = dict(zip(heading.strip("| ").split(" | "), python.strip("| ").split(" | "), strict=True))
    assert cells["runtime"] == "python"
    for name, metric in MADE_UP.summary.rows[0].metrics.items():
        definition = METRICS[name]
        if definition.heading in cells:
            ends = metric.ci95 if definition.ranks else None
            figure = definition.with_interval(metric.median, ends)
            is_struck = definition.kind == "time" and figure != "–"
            assert cells[definition.heading] == (f"~~{figure}~~" if is_struck else figure)


def test_the_heading_of_csv(folder: Path, agentdyno: Agentdyno) -> None:
    heading = agentdyno("show", folder, "--csv").stdout.splitlines()[0]
    assert is_as_it_was("csv-heading", heading.replace(",", "\n") + "\n")


def test_a_run_that_prints_a_document_prints_nothing_else_to_stdout(measured: Path) -> None:
    assert (measured / "stdout").read_text() == (measured / "latest" / "summary.json").read_text()
    said = (measured / "stderr").read_text()
    assert said.startswith("python: 4 builtin tasks, agents 4, one repeat, verifier null ")
    assert "\nrun 1/1: python, 4 agents, null, instant\n  4/4 tasks, " in said
    assert said.splitlines()[-1].startswith("results: ")


def test_what_was_resumed_is_printed_as_asked_now(measured: Path, agentdyno: Agentdyno) -> None:
    done = agentdyno("run", "--resume", measured / "latest", "--csv")
    assert done.stdout == agentdyno("show", measured / "latest", "--csv").stdout
    assert done.stdout.splitlines()[1].startswith("python,4,null,instant,")
    assert "run 1/1: python-4-null-instant is there already" in done.stderr


def test_show_prints_what_run_printed(measured: Path, agentdyno: Agentdyno) -> None:
    again = agentdyno("run", "--resume", measured / "latest").stdout
    shown = agentdyno("show", measured / "latest").stdout
    assert shown.startswith("\none run, 4 builtin tasks, profile instant, 4 agents, verifier null\n")
    assert shown in again


def test_of_a_sweep_its_own_documents_are_printed(folder: Path, agentdyno: Agentdyno) -> None:
    points = [
        Point(agents, figures, agents > 1) for agents, figures in ((1, {}), (1000, {"peak_rss_mib": 30.5}))
    ]
    metrics = dict.fromkeys(MADE_UP.summary.rows[0].metrics)
    points = [Point(point.agents, metrics | point.metrics, point.valid) for point in points]
    found = Swept(
        "rust", "cold", 50.0, None, points, Slope(14.3, (13.7, 15.3), 16.9), Capacity(1000, None, [], None)
    )
    (folder / "sweep.json").write_text(json.dumps(as_json([found])))
    assert agentdyno("show", folder, "--json").stdout == (folder / "sweep.json").read_text()
    assert agentdyno("show", folder, "--markdown").stdout == sweep_markdown([found])
    assert agentdyno("show", folder, "--csv").stdout.count("\n") == 4
    printed = agentdyno("show", folder, COLUMNS="40").stdout
    assert is_as_it_was("sweep-40", "\n".join(line.rstrip() for line in printed.splitlines()) + "\n")
    lines = [line.split() for line in printed.splitlines()]
    assert ["1", "✗", *["–"] * 5] in lines
    assert ["1,000", "30.5", *["–"] * 4] in lines


def test_a_sweep_that_prints_a_document_prints_nothing_else_to_stdout(
    tmp_path: Path, agentdyno: Agentdyno
) -> None:
    done = agentdyno(
        "sweep", "--runtimes", "python", "--agents", "1,2", "--profile", "steady:ttft=50ms,itl=1ms",
        "--overhead-limit", 0.000001, "--markdown", "--out", tmp_path,
    )  # fmt: skip
    assert done.stdout == (tmp_path / "latest" / "sweep.md").read_text()
    assert done.stdout.startswith("| python, verifier null: agents | peak memory MiB | ")
    folder = (tmp_path / "latest").resolve()
    assert done.stderr.splitlines()[-1] == (
        f"results: {folder}; `agentdyno report {folder}` makes a page of them"
    )
