"""`import agentdyno`: cheap, typed, and no more than it says."""

import subprocess
import sys
from pathlib import Path

import pytest

import agentdyno

USES = """\
import agentdyno

experiment: agentdyno.Experiment = agentdyno.open_experiment("results/latest")
rows: list[agentdyno.Row] = experiment.rows
peak: agentdyno.Metric = rows[0].metrics["peak_rss_mib"]
median: float | None = peak.median
cell: agentdyno.Cell = rows[0].cell
runs: list[agentdyno.Run] = experiment.runs_of(cell)
attempts: agentdyno.Records[agentdyno.Attempt] = experiment.attempts.of(runs)
overheads: list[float] = [a.overhead_ms for a in attempts if a.overhead_ms is not None]
retried: set[str] = {task.task for task in experiment.tasks if task.attempts > 1}
finishes: set[str | None] = {request.finish for request in experiment.requests}
threads: int = max(sample.threads for sample in experiment.samples)
units: set[str] = {value.unit for value in experiment.values}
frame = experiment.attempts.pandas()
print(frame.columns, experiment.attempts.arrow(), agentdyno.__version__)
try:
    agentdyno.open_experiment("nowhere")
except agentdyno.UserError as refusal:
    print(refusal)
"""

MISUSES = """\
import agentdyno

experiment = agentdyno.open_experiment("results/latest")
print([attempt.overheads for attempt in experiment.attempts])
print([request.overhead_ms for request in experiment.requests])
print([1 + attempt.wall_ms for attempt in experiment.attempts])
print(agentdyno.opened)
"""

COMPLAINTS = """\
misuses.py:4: error: "Attempt" has no attribute "overheads"; maybe "overhead_ms"?  [attr-defined]
misuses.py:5: error: "Request" has no attribute "overhead_ms"  [attr-defined]
misuses.py:6: error: Unsupported operand types for + ("int" and "None")  [operator]
misuses.py:6: note: Right operand is of type "float | None"
misuses.py:7: error: Module has no attribute "opened"  [attr-defined]
Found 4 errors in 1 file (checked 2 source files)
"""


def loaded_by(statement: str) -> list[str]:
    """The modules that a statement loads in a fresh interpreter."""
    script = f"import sys; before = set(sys.modules)\n{statement}\nprint(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.usefixtures("starts_processes")
def test_importing_it_imports_nothing_else() -> None:
    assert loaded_by("import agentdyno; agentdyno.__version__; dir(agentdyno)") == ["agentdyno"]
    # A submodule is looked for among the names first.
    assert "agentdyno.report" not in loaded_by("from agentdyno import files")


def test_reading_results_imports_nothing_heavy(experiment: agentdyno.Experiment) -> None:
    loaded = loaded_by(
        f"import agentdyno; experiment = agentdyno.open_experiment({str(experiment.path)!r})\n"
        "for name in ('values', 'tasks', 'attempts', 'requests', 'samples'):\n"
        "    assert any(True for record in getattr(experiment, name))"
    )
    heavy = {"aiohttp", "altair", "asyncio", "numpy", "pandas", "pyarrow", "rich", "scipy"}
    assert heavy.isdisjoint(loaded)


def test_every_name_is_there() -> None:
    assert set(agentdyno.__all__) <= set(dir(agentdyno))
    for name in agentdyno.__all__:
        assert getattr(agentdyno, name) is not None
    with pytest.raises(AttributeError) as error:
        agentdyno.opened  # type: ignore[attr-defined]  # noqa: B018
    assert str(error.value) == "module 'agentdyno' has no attribute 'opened'"


@pytest.mark.usefixtures("starts_processes")
def test_types_hold_in_a_script_that_uses_it(tmp_path: Path) -> None:
    (tmp_path / "uses.py").write_text(USES)
    (tmp_path / "misuses.py").write_text(MISUSES)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "uses.py", "misuses.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.stdout, done.stderr) == (COMPLAINTS, "")
