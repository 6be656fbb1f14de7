"""`agentdyno conform` as a user sees it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agentdyno.conformance import suite
from command_line import manifest, processes_in

HERE = Path(__file__).resolve().parent
PYTHON = HERE.parents[1] / "runtimes" / "python" / ".venv" / "bin" / "python"
CASE = "messages.conversation/four attempts"

pytestmark = pytest.mark.usefixtures("starts_processes")


def conform(*words: object, tmp_path: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "agentdyno", "conform", *map(str, words)],
        env=os.environ | {"COLUMNS": "100", "TMPDIR": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A runtime whose request bodies hold white space."""
    folder = tmp_path / "broken"
    folder.mkdir()
    script = str(HERE / "broken_runtime.py")
    manifest(
        folder, "spacious", run=[str(PYTHON), script, "breaks.invariants", "request.canonical: white space"]
    )
    return folder


def test_a_runtime_that_conforms(tmp_path: Path) -> None:
    done = conform("python", "--only", CASE, "--json", tmp_path / "out.json", tmp_path=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].rstrip() == "python: CONTRACT.md, rule by rule"
    assert ["messages.conversation", "kept", "1/1"] in [line.split()[:3] for line in lines]
    count, _, seconds = lines[-1].partition(" in ")
    assert count == "python: 11 rules kept, 0 broken, 0 not tried; 1 cases"
    assert re.fullmatch(r"\d+ s", seconds)
    document = json.loads((tmp_path / "out.json").read_text())
    assert document["runtimes"]["python"]["broken"] == []
    assert {
        "rule": "messages.conversation",
        "case": CASE,
        "result": "kept",
        "evidence": "4 requests, byte for byte",
    } in document["runtimes"]["python"]["results"]


def test_a_runtime_that_does_not_conform(broken: Path, tmp_path: Path) -> None:
    done = conform(f"{broken}/", "--only", CASE, "--json", tmp_path / "out.json", tmp_path=tmp_path)
    assert done.returncode == 1
    assert "spacious: 9 rules kept, 2 broken, 0 not tried; 1 cases" in done.stdout
    document = json.loads((tmp_path / "out.json").read_text())
    assert document["runtimes"]["spacious"]["broken"] == ["messages.conversation", "request.canonical"]
    (result,) = [
        result
        for result in document["runtimes"]["spacious"]["results"]
        if result["rule"] == "request.canonical"
    ]
    assert result["evidence"].startswith(
        'request 1 has b\'{"messages": [{"content": "You w\' where canonical'
    )


def test_of_several_runtimes_what_is_broken_is_said_last(broken: Path, tmp_path: Path) -> None:
    done = conform("python", f"{broken}/", "--only", CASE, tmp_path=tmp_path)
    assert done.returncode == 1
    _, _, table_and_more = done.stdout.partition("rules kept, by section")
    _, _, said = table_and_more.partition("spacious breaks ")
    first, second = " ".join(said.split()).split(" spacious breaks ")
    assert first.startswith(f"messages.conversation: {CASE}: ")
    assert second.startswith(f"request.canonical: {CASE}: request 1 has ")


def test_a_rule_that_is_not_there(tmp_path: Path) -> None:
    done = conform("--only", "manners", tmp_path=tmp_path)
    assert done.returncode == 2
    assert (
        done.stderr == "agentdyno: --only manners: no rule or case begins with that; --list shows them all\n"
    )


def test_the_list_names_every_rule_with_its_cases(tmp_path: Path) -> None:
    done = conform("--list", tmp_path=tmp_path)
    assert done.returncode == 0
    assert (
        "messages.conversation (One task): replies and feedback are appended, and nothing else changes\n"
        f"    {CASE}\n"
    ) in done.stdout


def test_the_quick_sample_is_played_whole(tmp_path: Path) -> None:
    done = conform("python", "--quick", "--json", tmp_path / "out.json", tmp_path=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((tmp_path / "out.json").read_text())["runtimes"]["python"]["results"]
    assert {result["case"] for result in results} == set(suite.QUICK)


def test_the_sample_and_a_choice_exclude_each_other(tmp_path: Path) -> None:
    done = conform("python", "--quick", "--only", CASE, tmp_path=tmp_path)
    assert done.returncode == 2
    assert "not allowed with argument --quick" in done.stderr


def test_the_slowest_cases_come_last(tmp_path: Path) -> None:
    words = ("--only", "messages", "--only", "extraction", "--durations")
    done = conform("python", *words, tmp_path=tmp_path)
    title, headings, *lines = done.stdout[done.stdout.index("slowest cases") :].splitlines()
    assert (title.rstrip(), headings.split()) == ("slowest cases", ["seconds", "runtime", "case"])
    listed = [line.split(maxsplit=2) for line in lines]
    assert {case.rstrip() for _, _, case in listed} == {
        name for name in suite.load() if name.startswith(("messages", "extraction"))
    }
    seconds = [float(first) for first, _, _ in listed]
    assert seconds == sorted(seconds, reverse=True)


@pytest.fixture
def variants(tmp_path: Path) -> Path:
    """A code base of three runtimes: the second says what it differs in, the third does not."""
    folder = tmp_path / "variants"
    folder.mkdir()
    run = [str(PYTHON), str(HERE / "stalling_runtime.py"), str(tmp_path / "starts"), "0", "0"]
    manifest(folder, "whole", run=run)
    manifest(folder, "silent", run=run)
    (folder / "runtime.toml").rename(folder / "runtime.silent.toml")
    manifest(folder, "touched", run=run, differs_in=["messages.vectors", "extraction"])
    (folder / "runtime.toml").rename(folder / "runtime.touched.toml")
    manifest(folder, "whole", run=run)
    return folder


def cases_of(variants: Path, *words: str, tmp_path: Path) -> dict[str, set[str]]:
    """The cases that are played against each of the three."""
    paths = [variants / f"runtime{name}.toml" for name in ("", ".touched", ".silent")]
    done = conform(
        *paths, "--only", "messages", "--only", "extraction", *words, "--json", "out.json", tmp_path=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    runtimes = json.loads((tmp_path / "out.json").read_text())["runtimes"]
    return {name: {one["case"] for one in entry["results"]} for name, entry in runtimes.items()}


def test_a_variant_plays_what_its_difference_touches(variants: Path, tmp_path: Path) -> None:
    cases = cases_of(variants, "--variants", "touched", tmp_path=tmp_path)
    assert cases["whole"] == cases["silent"]
    assert CASE in cases["whole"]
    assert cases["touched"] == {
        name for name in cases["whole"] if name.startswith(("messages.vectors/", "extraction.vectors/"))
    }


def test_a_difference_in_no_rule_is_refused(variants: Path, tmp_path: Path) -> None:
    path = variants / "runtime.touched.toml"
    path.write_text(path.read_text().replace("extraction", "manners"))
    done = conform(variants / "runtime.toml", path, "--variants", "touched", tmp_path=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        f"agentdyno: {path}: `differs_in` names 'manners', which is no rule and no group of rules; "
        "`agentdyno conform --list` shows them\n"
    )


@pytest.mark.parametrize("send", [os.kill, os.killpg])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interruption_leaves_nothing_running(
    number: signal.Signals, send: Callable[[int, int], None], tmp_path: Path
) -> None:
    folder = tmp_path / "hanging"
    folder.mkdir()
    began = tmp_path / "began"
    os.mkfifo(began)
    manifest(folder, "hanging", run=["sh", "-c", f"echo > {began}; exec sleep 600"])
    with subprocess.Popen(
        [sys.executable, "-m", "agentdyno", "conform", f"{folder}/", "--only", CASE],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        began.read_text()  # the runtime runs
        send(process.pid, number)
        _, said = process.communicate(timeout=30)
    while left := processes_in(tmp_path):
        assert len(left) < 10  # those that are ending
    if number != signal.SIGKILL:
        assert process.returncode == 128 + number
        assert said == f"agentdyno: {number.name}\n"
        assert [path for path in tmp_path.iterdir() if path.name.startswith("agentdyno-")] == []


def test_runtimes_that_cannot_be_built_are_skipped_and_several_are_shown_together(tmp_path: Path) -> None:
    for name in ("chmod", "env", "rm"):  # the suite and the runtimes need these; no compiler is there
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    done = subprocess.run(
        [sys.executable, "-m", "agentdyno", "conform", "--only", CASE],
        env=os.environ | {"PATH": str(tmp_path), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.partition(" (")[0] for line in done.stderr.splitlines()] == [
        "skipped cpp: needs `g++`",
        "skipped cpp-threads: needs `g++`",
        "skipped floor: needs `make`",
        "skipped go: needs `go >= 1.26`",
        "skipped go-tuned: needs `go >= 1.26`",
        "skipped rust: needs `cargo >= 1.91`",
        "skipped typescript: needs `node >= 20`",
        "skipped typescript-tuned: needs `node >= 20`",
    ]
    title, *_, headings, python, uvloop = done.stdout[
        done.stdout.index("rules kept, by section") :
    ].splitlines()
    assert title.rstrip() == "rules kept, by section"
    assert headings.split() == ["runtime", "file", "task", "Events", "Exit", "all", "s"]
    assert python.split()[:-1] == ["python", "1/1", "2/2", "4/4", "4/4", "11/11"]
    assert uvloop.split()[:-1] == ["python-uvloop", "1/1", "2/2", "4/4", "4/4", "11/11"]
