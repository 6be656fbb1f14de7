"""The tasks that tests go over, and the real verifier to try solutions with."""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from agentdyno.tasks.humaneval import convert
from agentdyno.tasks.load import load

HUMANEVAL = Path(__file__).parents[2] / "../shared/datasets/HumanEval_first100.jsonl.gz"


@pytest.fixture(scope="session")
def humaneval_file():
    if not HUMANEVAL.is_file():
        pytest.skip("../shared/datasets/HumanEval_first100.jsonl.gz is not there")
    return HUMANEVAL.resolve()


@pytest.fixture(scope="session", params=["builtin", "humaneval"])
def tasks(request):
    """All built-in tasks, then all HumanEval tasks where their file is at hand."""
    if request.param == "builtin":
        return load("builtin", None)
    return convert(request.getfixturevalue("humaneval_file"), 100)


@pytest.fixture
def failing(tmp_path, starts_processes):
    """`failing(pairs)` runs pairs of solution and tests under the verifier; gives the indices that fail."""

    def failing(pairs):
        # One process for all: every pair gets a solution module of another name, not a folder of its own.
        for index, (solution, tests) in enumerate(pairs):
            (tmp_path / f"solution_{index}.py").write_text(solution, encoding="utf-8")
            assert tests.count("from solution import *") == 1
            tests = tests.replace("from solution import *", f"from solution_{index} import *")
            (tmp_path / f"test_{index}.py").write_text(tests, encoding="utf-8")
        verifier = os.path.join(sys.prefix, "verifier", "bin", "python3")
        options = [
            "-q",
            "--tb=no",
            "--junitxml=report.xml",
            "--continue-on-collection-errors",
            "--assert=plain",
        ]
        argv = [verifier, "-B", "-m", "pytest", *options]
        subprocess.run(argv, cwd=tmp_path, stdout=subprocess.DEVNULL, timeout=300)
        passed, failed = set(), set()
        for case in ElementTree.parse(tmp_path / "report.xml").iter("testcase"):
            name = case.get("classname") or case.get("name")
            (failed if len(case) else passed).add(int(name.removeprefix("test_")))
        assert passed | failed == set(range(len(pairs)))
        return failed

    return failing
