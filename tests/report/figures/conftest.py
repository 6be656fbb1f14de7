from pathlib import Path

import pytest

from agentdyno.results.experiment import Experiment, open_experiment


@pytest.fixture(scope="session")
def measured(measured_folder: Path) -> Experiment:
    return open_experiment(measured_folder / "results" / "latest")


@pytest.fixture
def copied(measured: Experiment, tmp_path: Path) -> Experiment:
    """The same, as its summary alone says it."""
    copy = tmp_path / "a-copy.json"
    copy.write_bytes(measured.path.read_bytes())
    return open_experiment(copy)
