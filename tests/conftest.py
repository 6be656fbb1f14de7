"""What tests of several folders share."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from command_line import made_once, measured_in

# How busy the machine is says nothing about the code under test.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def measured_folder(tmp_path_factory: pytest.TempPathFactory, starts_processes: None) -> Path:
    """A folder in whose `results` is one real experiment, which all tests share that only read results.

    Two runtimes, two runs of each, with traces and enough attempts for a p99. On a busy machine a row may be
    invalid. A test that writes beside the results or changes them takes a copy.
    """

    def measure(folder: Path) -> None:
        words = ["--runtimes", "python,floor", "--agents", 20, "--limit", 100, "--repeats", 2]
        words += ["--controls", "none", "--profile", "steady:ttft=20ms,itl=1ms", "--verifier", "null"]
        done = measured_in(folder, *words, "--trace")
        assert (folder / "results" / "latest" / "summary.json").exists(), done.stdout + done.stderr

    return made_once(tmp_path_factory, "measured-with-traces", measure)
