"""docs/library.md: each of its examples does what it says, on a real experiment."""

import re
import statistics
from pathlib import Path

import pytest
from pyarrow import parquet

import agentdyno

PAGE = Path(__file__).resolve().parents[2] / "docs" / "library.md"
EXAMPLE = re.compile(r"^## (.+?)\n.*?^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = dict(EXAMPLE.findall(PAGE.read_text(encoding="utf-8")))


@pytest.fixture(autouse=True)
def _beside_the_results(measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "results").symlink_to(measured / "results")
    monkeypatch.chdir(tmp_path)


def follow(title: str) -> None:
    exec(compile(EXAMPLES[title], f"{PAGE.name}, {title}", "exec"), {"__name__": "__main__"})


def made() -> set[str]:
    return {path.name for path in Path().iterdir()} - {"results"}


def test_each_example_is_tested() -> None:
    assert list(EXAMPLES) == [
        "How overhead is distributed",
        "Memory over time",
        "Retries by task",
        "A ratio of your own",
        "Everything as Parquet",
    ]


@pytest.mark.parametrize(
    ("title", "file", "axis"),
    [
        ("How overhead is distributed", "overhead.svg", "overhead of an attempt, ms"),
        ("Memory over time", "memory.svg", "MiB"),
    ],
)
def test_a_plot_has_a_line_for_each_runtime(title: str, file: str, axis: str) -> None:
    follow(title)
    assert made() == {file}
    drawn = Path(file).read_text()
    labels = re.findall(r"<text[^>]*>([^<]*)</text>", drawn)
    assert {"floor", "python", axis} < set(labels)
    assert drawn.count('aria-roledescription="line mark"') == 2


def test_retries_by_task(experiment: agentdyno.Experiment, capsys: pytest.CaptureFixture[str]) -> None:
    follow("Retries by task")
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    retries: dict[str, int] = {}
    for task in experiment.tasks:
        if not task.control and task.attempts > 1:
            retries[task.task] = retries.get(task.task, 0) + task.attempts - 1
    assert retries
    assert {task: int(count) for count, task in printed} == retries


def test_a_ratio_of_your_own(experiment: agentdyno.Experiment, capsys: pytest.CaptureFixture[str]) -> None:
    follow("A ratio of your own")
    ratios = dict(re.findall(r"^(python|floor) +([\d.]+)$", capsys.readouterr().out, re.MULTILINE))
    held = {
        row.cell.runtime: [
            memory * wall
            for memory, wall in zip(
                row.metrics["peak_rss_mib"].values, row.metrics["wall_s"].values, strict=True
            )
            if memory is not None and wall is not None
        ]
        for row in experiment.rows
    }
    by_block = [mine / its for mine, its in zip(held["python"], held["floor"], strict=True)]
    assert len(by_block) == 2
    assert float(ratios["python"]) == pytest.approx(statistics.median(by_block), rel=1e-5)
    assert float(ratios["floor"]) == 1


def test_everything_as_parquet(experiment: agentdyno.Experiment) -> None:
    follow("Everything as Parquet")
    names = ("values", "tasks", "attempts", "requests", "samples")
    assert made() == {f"{name}.parquet" for name in names}
    for name in names:
        assert parquet.read_table(f"{name}.parquet").equals(getattr(experiment, name).arrow())
