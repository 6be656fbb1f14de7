"""No rule is empty: for every rule there is a runtime that breaks it, and the suite finds it out."""

import dataclasses
import os
import sys
from pathlib import Path

import pytest

from agentdyno.conformance import suite
from agentdyno.conformance.rules import RULES
from agentdyno.runtimes.build import build
from agentdyno.runtimes.manifest import Manifest, choose

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE))

from breaks import BREAKS  # noqa: E402


@pytest.fixture(scope="module")
def results(
    tmp_path_factory: pytest.TempPathFactory, starts_processes: None
) -> dict[str, list[suite.Result]]:
    """What the suite says of each broken runtime; several are tried at a time, as most cases wait."""
    (python,) = choose(["python"])
    build(python, tmp_path_factory.mktemp("build") / "log", lambda: None)
    found: dict[str, list[suite.Result]] = {}
    jobs = 2 * (os.cpu_count() or 1)
    for at_a_time in (jobs, 1, 1):
        # Some cases are not possible on a machine that is too busy, and say so: those are played again.
        left = [name for name in BREAKS if not any(one.result == suite.BROKEN for one in found.get(name, []))]
        plays = [(broken(python, name), BREAKS[name].case) for name in left]
        found.update({case.runtime: case.results for case in suite.play_all(plays, at_a_time, lambda: None)})
    return found


def broken(python: Manifest, name: str) -> Manifest:
    script = str(HERE / "broken_runtime.py")
    run = (python.tools[0], script, name)
    return dataclasses.replace(python, name=name, run=run, tools=(*run, "tools"))


def test_every_rule_is_broken_by_some_runtime() -> None:
    assert {entry.rule for entry in BREAKS.values()} == {rule.name for rule in RULES}


@pytest.mark.parametrize("name", BREAKS)
def test_the_suite_finds_it_out(name: str, results: dict[str, list[suite.Result]]) -> None:
    found = {result.rule: result for result in results[name] if result.result == suite.BROKEN}
    assert BREAKS[name].rule in found, f"found broken: {sorted(found) or 'nothing'}"
