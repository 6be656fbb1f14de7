"""No rule is empty: for every rule there is a runtime that breaks it, and the suite finds it out."""

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from agentdyno.conformance import suite
from agentdyno.conformance.rules import RULES

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE))

from breaks import all_breaks  # noqa: E402

BREAKS = all_breaks()


@pytest.fixture(scope="module")
def results(starts_processes: None) -> dict[str, list[suite.Result]]:
    """What the suite says of each broken runtime.

    The suite plays in a process of its own, as `agentdyno conform` does. It forks for every case, and a fork
    of pytest, with all that it has loaded, is slow.
    """
    done = subprocess.run([sys.executable, HERE / "play_breaks.py"], stdout=subprocess.PIPE, check=True)
    found: dict[str, list[suite.Result]] = pickle.loads(done.stdout)
    return found


def test_every_rule_is_broken_by_some_runtime() -> None:
    assert {entry.rule for entry in BREAKS.values()} == {rule.name for rule in RULES}


@pytest.mark.parametrize("name", BREAKS)
def test_the_suite_finds_it_out(name: str, results: dict[str, list[suite.Result]]) -> None:
    found = {result.rule: result for result in results[name] if result.result == suite.BROKEN}
    assert BREAKS[name].rule in found, f"found broken: {sorted(found) or 'nothing'}"
