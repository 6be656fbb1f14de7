"""`agentdyno verify`: every figure follows from the raw files, and no file can be changed unnoticed."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from command_line import Agentdyno, measured_in

TASKS, RUNS = 20, 5
SHA = '"[0-9a-f]{56}…'


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, starts_processes: None) -> Path:
    """An experiment of two blocks with a twin, and a sentinel; it was moved since."""
    folder = tmp_path_factory.mktemp("experiment")
    done = measured_in(
        folder, "--runtimes", "python", "--limit", TASKS, "--agents", TASKS, "--repeats", 2,
        "--profile", "steady:ttft=50ms,itl=0.2ms", "--verifier", "null",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    (experiment,) = (folder / "results" / "raw").iterdir()
    return experiment.rename(folder / "moved")


@pytest.fixture
def experiment(original: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return shutil.copytree(original, tmp_path / "copy")


def run_folder(experiment: Path) -> Path:
    """The second of its runs."""
    (found,) = (experiment / "runs").glob("002-*")
    return found


def next_digit(path: Path, field: str) -> None:
    """Change the last digit of a number in a JSON file, where the field comes first."""

    def changed(found: re.Match[str]) -> str:
        return f"{found[1]}{(int(found[2]) + 1) % 10}"

    text, count = re.subn(rf'("{field}": ?\d*?)(\d)(?!\d)', changed, path.read_text(), count=1)
    assert count == 1
    path.write_text(text)


def next_figure(path: Path, line: int, column: str) -> None:
    """Change a figure in a line of a CSV file, the first of which is 0."""
    heading, *lines = path.read_text().splitlines()
    words = lines[line].split(",")
    place = heading.split(",").index(column) - len(
        heading.split(",")
    )  # from the end: the profile has a comma
    words[place] = f"{float(words[place]) + 0.001:.3f}"
    lines[line] = ",".join(words)
    path.write_text("\n".join([heading, *lines, ""]))


def change_summary(experiment: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = experiment / "summary.json"
    summary = json.loads(path.read_text())
    change(summary)
    path.write_text(json.dumps(summary))


def test_a_moved_experiment_is_verified(original: Path, agentdyno: Agentdyno) -> None:
    done = agentdyno("verify", original)
    assert re.fullmatch(
        rf"verified: {RUNS} runs, {RUNS * TASKS} tasks, \d+ figures; summary\.json, tasks\.csv, table\.md "
        r"and every ledger\.csv follow from the raw files, and these are as they were\n",
        done.stdout,
    )
    assert (done.returncode, done.stderr) == (0, "")


def wall_time(summary: dict[str, Any]) -> None:
    summary["rows"][0]["metrics"]["wall_s"]["median"] = 99.5


def second_value(summary: dict[str, Any]) -> None:
    summary["rows"][0]["metrics"]["failed"]["values"][1] = 7


def validity(summary: dict[str, Any]) -> None:
    row = summary["rows"][0]
    row["valid"] = not row["valid"]


def twins_ratio(summary: dict[str, Any]) -> None:
    summary["controls"][0]["ratios"]["wall_s"]["values"][0] = 1.5


NUMBER = r"\d+\.\d+"
CHANGES: list[tuple[Callable[[Path], object], str]] = [
    (
        lambda experiment: change_summary(experiment, wall_time),
        rf"rows\[0\]\.metrics\.wall_s\.median: 99\.5 is reported, {NUMBER} follows from the raw files",
    ),
    (
        lambda experiment: change_summary(experiment, second_value),
        r"rows\[0\]\.metrics\.failed\.values\[1\]: 7 is reported, 0 follows from the raw files",
    ),
    (
        lambda experiment: change_summary(experiment, validity),
        r"rows\[0\]\.valid: (true|false) is reported, (true|false) follows from the raw files",
    ),
    (
        lambda experiment: change_summary(experiment, twins_ratio),
        rf"controls\[0\]\.ratios\.wall_s\.values\[0\]: 1\.5 is reported, {NUMBER} follows from the raw files",
    ),
    (
        lambda experiment: next_digit(run_folder(experiment) / "events.jsonl", "t_first"),
        rf"runs/002-\S+: sha256\.events\.jsonl: {SHA} is reported, {SHA} follows from the raw files",
    ),
    (
        lambda experiment: next_digit(run_folder(experiment) / "journal.jsonl", "prompt_tokens"),
        rf"runs/002-\S+: sha256\.journal\.jsonl: {SHA} is reported, {SHA} follows from the raw files",
    ),
    (
        lambda experiment: next_digit(run_folder(experiment) / "samples.jsonl", "rss_kib"),
        rf"runs/002-\S+: sha256\.samples\.jsonl: {SHA} is reported, {SHA} follows from the raw files",
    ),
    (
        lambda experiment: next_digit(run_folder(experiment) / "outcome.json", "survivors"),
        rf"runs/002-\S+: sha256\.outcome\.json: {SHA} is reported, {SHA} follows from the raw files",
    ),
    (
        lambda experiment: (run_folder(experiment) / "run.json").write_text(
            (run_folder(experiment) / "run.json").read_text() + "\n"
        ),
        rf"runs/002-\S+: sha256\.run\.json: {SHA} is reported, {SHA} follows from the raw files",
    ),
    (
        lambda experiment: (run_folder(experiment) / "samples.jsonl").unlink(),
        rf"runs/002-\S+: sha256\.samples\.jsonl: {SHA} is reported, null follows from the raw files",
    ),
    (
        lambda experiment: (experiment / f"tasks/{TASKS}.jsonl").write_text(
            (experiment / f"tasks/{TASKS}.jsonl").read_text().replace("def ", "def  ", 1)
        ),
        rf"runs/001-\S+: sha256\.20\.jsonl: {SHA} is reported, {SHA} follows from the raw files",
    ),
    (
        lambda experiment: next_figure(run_folder(experiment) / "ledger.csv", 4, "stream"),
        r"ledger\.csv in 002-\S+ at line 6",
    ),
    (
        lambda experiment: (run_folder(experiment) / "ledger.csv").unlink(),
        r"ledger\.csv in 002-\S+ at its end",
    ),
    (
        lambda experiment: next_figure(experiment / "tasks.csv", 30, "model_ms"),
        r"tasks\.csv in copy at line 32",
    ),
    (
        lambda experiment: (experiment / "table.md").write_text(
            (experiment / "table.md").read_text().replace("python", "cpp")
        ),
        r"table\.md in copy at line 3",
    ),
]


@pytest.mark.parametrize(("change", "line"), CHANGES, ids=[line[:50] for _, line in CHANGES])
def test_a_change_anywhere_is_named(
    change: Callable[[Path], object], line: str, experiment: Path, agentdyno: Agentdyno
) -> None:
    change(experiment)
    done = agentdyno("verify", experiment)
    assert re.fullmatch(f"DIFFERS {line}", done.stdout.splitlines()[0])
    assert "verified" not in done.stdout
    assert (done.returncode, done.stderr) == (1, "")


def test_a_figure_that_is_changed_in_summary_and_csv_alike_does_not_follow_either(
    experiment: Path, agentdyno: Agentdyno
) -> None:
    next_figure(experiment / "tasks.csv", 0, "wall_ms")
    change_summary(experiment, wall_time)
    lines = agentdyno("verify", experiment).stdout.splitlines()
    assert [line.split()[1] for line in lines] == ["rows[0].metrics.wall_s.median:", "tasks.csv"]


def test_of_many_differences_ten_are_shown_and_the_others_counted(
    experiment: Path, agentdyno: Agentdyno
) -> None:
    def all_medians(summary: dict[str, Any]) -> None:
        for metric in summary["rows"][0]["metrics"].values():
            metric["median"] = 12345

    change_summary(experiment, all_medians)
    count = len(json.loads((experiment / "summary.json").read_text())["rows"][0]["metrics"])
    lines = agentdyno("verify", experiment).stdout.splitlines()
    assert lines[0].startswith("DIFFERS rows[0].metrics.peak_rss_mib.median: 12345 is reported, ")
    assert len(lines) == 11
    assert lines[-1] == f"and {count - 10} more"


def test_raw_files_that_cannot_be_read_any_more(experiment: Path, agentdyno: Agentdyno) -> None:
    folder = run_folder(experiment)
    with (folder / "journal.jsonl").open("a") as file:
        file.write('{"kind": "request", "task"}\n')
    done = agentdyno("verify", experiment)
    number = (folder / "journal.jsonl").read_text().count("\n")
    assert done.stderr == (
        f"agentdyno: {folder}/journal.jsonl:{number}: not JSON at column 27 (Expecting ':' delimiter); "
        "name results whose runs are whole, or measure again\n"
    )
    assert done.returncode == 1


def test_a_folder_without_an_experiment(agentdyno: Agentdyno, tmp_path: Path) -> None:
    done = agentdyno("verify", tmp_path)
    assert done.stderr == (
        f"agentdyno: {tmp_path}/summary.json: no such file; "
        "name the folder of an experiment, as results/raw/TIME\n"
    )
    assert done.returncode == 2
