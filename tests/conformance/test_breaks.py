"""No rule is empty: for every rule there is a runtime that breaks it, and the suite finds it out."""

import dataclasses
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from agentdyno.conformance import suite
from agentdyno.conformance.rules import RULES
from agentdyno.runtimes.build import build
from agentdyno.runtimes.manifest import Manifest, choose

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE))

from breaks import BREAKS  # noqa: E402

Results = Callable[[str], list[suite.Result]]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    (manifest,) = choose(["python"])
    build(manifest, tmp_path_factory.mktemp("build") / "log", lambda: None)
    return manifest


@pytest.fixture(scope="module")
def results(python: Manifest) -> Iterator[Results]:
    """What the suite says of each broken runtime; all are tried at the same time, as most cases wait."""
    jobs = 2 * (os.cpu_count() or 1)
    with ProcessPoolExecutor(jobs, get_context("forkserver"), suite.prepare) as pool:
        futures: dict[str, Future[list[suite.Result]]] = {
            name: pool.submit(suite.play, broken(python, name), entry.case) for name, entry in BREAKS.items()
        }
        yield lambda name: futures[name].result()


def broken(python: Manifest, name: str) -> Manifest:
    script = str(HERE / "broken_runtime.py")
    return dataclasses.replace(python, run=(python.run[0], script, name))


def test_every_rule_is_broken_by_some_runtime() -> None:
    assert {entry.rule for entry in BREAKS.values()} == {rule.name for rule in RULES}


@pytest.mark.parametrize("name", BREAKS)
def test_the_suite_finds_it_out(name: str, results: Results) -> None:
    found = {result.rule: result for result in results(name) if result.result == suite.BROKEN}
    assert BREAKS[name].rule in found, f"found broken: {sorted(found) or 'nothing'}"
