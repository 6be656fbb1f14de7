import os
import shutil
from pathlib import Path

import pytest

import agentdyno
from command_line import made_once, measured_in


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory, starts_processes: None) -> Path:
    """A folder in whose `results` is an experiment with the cold verifier and an A/A control."""

    def measure(folder: Path) -> None:
        words = ["--runtimes", "python,floor", "--agents", 5, "--limit", 10, "--repeats", 2]
        done = measured_in(folder, *words, "--profile", "instant", "--controls", "aa")
        assert done.returncode == 0, done.stdout + done.stderr

    return made_once(tmp_path_factory, "measured-cold", measure)


@pytest.fixture
def environment() -> dict[str, str]:
    """Ours without anything that steers agentdyno."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("LLM_", "BENCH_"))}


@pytest.fixture(scope="session")
def experiment(measured: Path) -> agentdyno.Experiment:
    return agentdyno.open_experiment(measured / "results" / "latest")


@pytest.fixture
def copied(experiment: agentdyno.Experiment, tmp_path: Path) -> Path:
    """Its summary, without its runs."""
    return Path(shutil.copy(experiment.path, tmp_path / "a-copy.json"))
