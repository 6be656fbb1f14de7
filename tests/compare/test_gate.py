"""The gate, for real: a runtime that was made worse fails it, and the same one measured twice does not."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from agentdyno.project import RUNTIMES
from agentdyno.runtimes.build import build
from agentdyno.runtimes.manifest import choose
from command_line import manifest, measured_in

LIMIT = ("--fail-if", "peak_rss_mib > +5%")
# What a busy machine does to completions of some milliseconds would be a fault in other profiles.
QUICK = ("--agents", 20, "--limit", 20, "--verifier", "null", "--profile", "instant")
HELD_MIB = 40
HOLDS = f'HELD = b"x" * ({HELD_MIB} << 20)\n'


def worsen(folder: Path) -> None:
    """Make a copy of the Python runtime that holds 40 MiB for nothing."""
    (python,) = choose(["python"])
    build([python], folder.with_name("build"), lambda: None)
    shutil.copytree(RUNTIMES / "python" / "agentloop", folder / "agentloop")
    program = folder / "agentloop" / "__main__.py"
    program.write_text(program.read_text().replace("import signal\n", f"import signal\n{HOLDS}", 1))
    assert HOLDS in program.read_text()
    manifest(folder, "worse", run=[f"{python.folder / python.tools[0]}", "-m", "agentloop"])


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, starts_processes: None) -> Path:
    """Experiments: `python` of a runtime, `worse` of its worsened copy, `both` of the two."""
    folder = tmp_path_factory.mktemp("gate")
    worse = folder / "runtime"
    worsen(worse)
    for name, runtimes in (("python", "python"), ("worse", f"{worse}"), ("both", f"python,{worse}")):
        (folder / name).mkdir()
        words = ["--runtimes", runtimes, *QUICK, "--repeats", 3, "--controls", "none"]
        done = measured_in(folder / name, *words)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


def compare(results: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "agentdyno", "compare", *words]
    return subprocess.run(command, cwd=results, capture_output=True, text=True, timeout=60, check=False)


def latest(name: str) -> str:
    return f"{name}/results/latest"


def test_a_runtime_that_was_made_worse_fails(results: Path) -> None:
    junit = results / "junit.xml"
    done = compare(results, latest("python"), latest("worse"), *LIMIT, "--junit", f"{junit}")
    assert (done.returncode, done.stderr) == (1, "")
    said = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "worse is compared with python: each experiment has one runtime" in said
    assert said[-1].startswith("FAILED peak_rss_mib > +5%: python → worse, 20 agents, verifier null: ")
    (memory,) = (line for line in said if line.startswith("peak_rss_mib"))
    assert memory.endswith("worse")
    assert len(ElementTree.parse(junit).findall("testsuite/testcase/failure")) == 1


def test_the_same_runtime_measured_twice_does_not(results: Path) -> None:
    done = compare(results, latest("python"), latest("both"), "--runtimes", "python", *LIMIT)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("kept peak_rss_mib > +5%: python, 20 agents, ")


def test_two_runtimes_of_one_experiment(results: Path) -> None:
    done = compare(results, "--in", latest("both"), "python", "worse", *LIMIT, "--json")
    assert done.returncode == 1
    (pair,) = json.loads(done.stdout)["pairs"]
    memory = pair["metrics"]["peak_rss_mib"]
    assert (memory["paired"], memory["runs"], memory["verdict"]) == (True, [3, 3], "worse")
    assert len(memory["ratio"]["values"]) == 3
    assert HELD_MIB - 2 < memory["difference"] < HELD_MIB + 2
    back = compare(results, "--in", latest("both"), "worse", "python", *LIMIT)
    assert back.returncode == 0
