from pathlib import Path

import pytest

from agentdyno.results.experiment import Experiment, open_experiment
from command_line import measured_in


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory, starts_processes: None) -> Experiment:
    """A real one: two runtimes, two runs of each, with enough attempts for a p99."""
    folder = tmp_path_factory.mktemp("measured")
    done = measured_in(
        folder,
        *("--runtimes", "python,floor", "--agents", 20, "--limit", 100, "--repeats", 2),
        *("--profile", "steady:ttft=20ms,itl=0ms", "--verifier", "null", "--controls", "none"),
    )
    assert done.returncode == 0, done.stderr
    return open_experiment(folder / "results" / "latest")


@pytest.fixture
def copied(measured: Experiment, tmp_path: Path) -> Experiment:
    """The same, as its summary alone says it."""
    copy = tmp_path / "a-copy.json"
    copy.write_bytes(measured.path.read_bytes())
    return open_experiment(copy)
