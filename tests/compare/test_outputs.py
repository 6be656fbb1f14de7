"""What is written for other programs, held to what these say that they read."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft7Validator

from agentdyno.analysis.registry import METRICS
from agentdyno.cli import main
from compare.synthetic import FAULT, experiment, row
from snapshot import is_as_it_was

BENCHER = {
    "type": "object",
    "propertyNames": {"minLength": 1, "maxLength": 1024},
    "additionalProperties": {
        "type": "object",
        "propertyNames": {"minLength": 1, "maxLength": 64},
        "additionalProperties": {
            "type": "object",
            "properties": {name: {"type": "number"} for name in ("value", "lower_value", "upper_value")},
            "required": ["value"],
            "additionalProperties": False,
        },
    },
}
"""What the pages on Bencher Metric Format say, the lengths of names included."""

GITHUB_ACTION_BENCHMARK = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "unit": {"type": "string"},
            "value": {"type": "number"},
            "range": {"type": "string"},
            "extra": {"type": "string"},
        },
        "required": ["name", "unit", "value"],
        "additionalProperties": False,
    },
}
"""What the README of github-action-benchmark says of customSmallerIsBetter; it fails on an empty list."""

Compare = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two experiments of two rows; the memory of one of these is half as much again, and its rate is."""
    for name, factor in (("base", 1.0), ("new", 1.5)):
        memory = [20.0 * factor, 20.1 * factor, 20.2 * factor]
        rate = [5.0 * factor, 5.1 * factor, 5.2 * factor]
        experiment(
            tmp_path / name,
            row("python", peak_rss_mib=memory, steady_tasks_per_s=rate, errors=[0, 0, 0]),
            row("a<b>|c&", peak_rss_mib=[5.0], max_in_flight=[100.0]),
        )
    experiment(tmp_path / "other", row("python", peak_rss_mib=[20.0]), seed=1)
    return tmp_path


@pytest.fixture
def compare(folder: Path, capsys: pytest.CaptureFixture[str]) -> Compare:
    """Compares, and returns what was printed."""

    def run(*words: str, new: str = "new", status: int = 0) -> str:
        assert main(["compare", f"{folder / 'base'}", f"{folder / new}", *words]) == status
        return capsys.readouterr().out

    return run


def test_bencher(compare: Compare) -> None:
    document = json.loads(compare("--bencher", "-"))
    Draft7Validator(BENCHER).validate(document)
    assert document["python, 100 agents, verifier null, profile steady"] == {
        "peak_rss_mib": {
            "value": pytest.approx(30.15),
            "lower_value": pytest.approx(29.779, abs=1e-3),
            "upper_value": pytest.approx(30.525, abs=1e-3),
        },
        "errors": {"value": 0, "lower_value": 0, "upper_value": 0},
        "steady_tasks_per_s": {
            "value": pytest.approx(7.65),
            "lower_value": pytest.approx(7.285, abs=1e-3),
            "upper_value": pytest.approx(8.030, abs=1e-3),
        },
    }
    assert document["a<b>|c&, 100 agents, verifier null, profile steady"] == {"peak_rss_mib": {"value": 5.0}}


def test_names_of_metrics_are_short_enough_for_bencher() -> None:
    assert all(len(metric) <= 64 for metric in METRICS)


@pytest.mark.parametrize(
    ("option", "metrics"),
    [
        ("--github-action-benchmark", ["peak_rss_mib", "errors", "peak_rss_mib"]),
        ("--github-action-benchmark-bigger", ["steady_tasks_per_s"]),
    ],
)
def test_github_action_benchmark(compare: Compare, option: str, metrics: list[str]) -> None:
    entries = json.loads(compare(option, "-", "--all"))
    Draft7Validator(GITHUB_ACTION_BENCHMARK).validate(entries)
    assert [entry["name"].rpartition(", ")[2] for entry in entries] == metrics
    names = [entry["name"] for entry in entries]
    assert len(set(names)) == len(names)


def test_an_entry_of_github_action_benchmark(compare: Compare) -> None:
    entry = json.loads(compare("--github-action-benchmark", "-"))[0]
    assert entry == {
        "name": "python, 100 agents, verifier null, profile steady, peak_rss_mib",
        "unit": "MiB",
        "value": pytest.approx(30.15),
        "range": "± 0.37",
        "extra": "3 runs\nNEW over BASE: ×1.50, 95% CI 1.40 to 1.60, worse",
    }


def held_to_the_schemas(text: str) -> ElementTree.Element:
    """The suite of a report, which must be as Ant's schema and that of Jenkins have it."""
    suites = ElementTree.fromstring(text)
    assert (suites.tag, suites.attrib) == ("testsuites", {})
    (suite,) = suites
    assert suite.tag == "testsuite"
    assert set(suite.attrib) == {
        "name", "package", "id", "timestamp", "hostname", "tests", "failures", "errors", "time"
    }  # fmt: skip
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])
    cases = suite.findall("testcase")
    assert [child.tag for child in suite] == [
        "properties", *["testcase"] * len(cases), "system-out", "system-err"
    ]  # fmt: skip
    assert int(suite.attrib["tests"]) == len(cases)
    assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))
    assert all(set(each.attrib) == {"name", "value"} for each in suite.iterfind("properties/property"))
    for case in cases:
        assert set(case.attrib) == {"classname", "name", "time"}
        assert [child.tag for child in case] in ([], ["failure"])
        assert all(set(failure.attrib) == {"type", "message"} for failure in case)
    # GitLab leaves out a test case of the same class and name as another.
    keys = {(case.attrib["classname"], case.attrib["name"]) for case in cases}
    assert len(keys) == len(cases)
    return suite


def test_junit(compare: Compare, folder: Path) -> None:
    limits = ("--fail-if", "peak_rss_mib > +5%", "--fail-if", "errors > 0")
    text = compare("--junit", "-", *limits, status=1)
    assert is_as_it_was("compare-junit", text.replace(str(folder), "DIR"))
    suite = held_to_the_schemas(text)
    assert suite.attrib["timestamp"] == "2026-01-02T03:05:06"
    found = {
        (case.attrib["classname"], case.attrib["name"]): [failure.attrib["type"] for failure in case]
        for case in suite.iterfind("testcase")
    }
    python, other = (f"{name}, 100 agents, verifier null" for name in ("python", "a<b>|c&"))
    assert found == {
        (python, "peak_rss_mib > +5%"): ["limit exceeded"],
        (other, "peak_rss_mib > +5%"): [],
        (python, "errors > 0"): [],
        (other, "errors > 0"): ["cannot be judged"],
    }


def test_junit_holds_no_character_that_xml_has_not(folder: Path, compare: Compare) -> None:
    fault = replace(FAULT, reason="it said \x1b[31m\x00 and no more")
    experiment(folder / "crashed", row("python", failures=[fault], peak_rss_mib=[20.0]))
    words = ("--runtimes", "python", "--fail-if", "peak_rss_mib > +5%", "--junit", "-")
    suite = held_to_the_schemas(compare(*words, new="crashed", status=1))
    (failure,) = suite.iterfind("testcase/failure")
    assert failure.attrib["message"] == (
        "cannot be judged: NEW has a fault: run 2: it said �[31m� and no more: mend it"
    )


def test_markdown(compare: Compare, folder: Path) -> None:
    text = compare("--markdown", "-", "--fail-if", "peak_rss_mib > +5%", status=1)
    assert is_as_it_was("compare-markdown", text.replace(str(folder), "DIR"))
    assert "| `peak_rss_mib` | 20.1 | 30.2 | MiB | ×1.50 | 1.40 to 1.60 | worse |\n" in text
    assert r"**a\<b\>\|c&, 100 agents, verifier null**" in text
    assert compare("--markdown", "-").startswith("### agentdyno: comparison\n")
    kept = compare("--markdown", "-", "--fail-if", "peak_rss_mib > +60%")
    assert kept.startswith("### agentdyno: every limit kept\n")


def test_text(compare: Compare, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    text = compare("--fail-if", "peak_rss_mib > +5%", status=1)
    lines = [line.rstrip() for line in text.replace(str(folder), "DIR").splitlines()]
    assert is_as_it_was("compare-text", "\n".join(lines) + "\n")


def test_processor_time_is_shown_in_ms_and_written_in_s(folder: Path, compare: Compare) -> None:
    for name, seconds in (("base", 0.0047), ("new", 0.0094)):
        experiment(folder / name, row("python", cpu_s_per_task=[seconds] * 3))
    assert "| `cpu_s_per_task` | 4.70 | 9.40 | ms/task | ×2.00 |" in compare("--markdown", "-")
    its = json.loads(compare("--json"))["pairs"][0]["metrics"]["cpu_s_per_task"]
    assert (its["unit"], its["base"], its["new"]) == ("s/task", 0.0047, 0.0094)


def test_json_has_every_metric_and_nothing_that_is_no_json(compare: Compare) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    limits = ("--fail-if", "errors > +5%")
    document = json.loads(compare("--json", *limits, status=1), parse_constant=refuse)
    python = document["pairs"][0]["metrics"]
    assert set(python) == {"peak_rss_mib", "errors", "steady_tasks_per_s"}
    assert python["steady_tasks_per_s"]["verdict"] == "better"
    assert python["peak_rss_mib"]["runs"] == [3, 3]
    assert document["pairs"][1]["metrics"]["max_in_flight"]["verdict"] is None
    assert [limit["kept"] for limit in document["limits"]] == [True, False]


def test_files_are_written_also_when_a_limit_is_exceeded(compare: Compare, folder: Path) -> None:
    options = ("markdown", "junit", "bencher", "github-action-benchmark", "github-action-benchmark-bigger")
    words = [word for option in options for word in (f"--{option}", f"{folder / option}")]
    printed = compare("--fail-if", "peak_rss_mib > +5%", *words, status=1)
    assert "FAILED peak_rss_mib" in printed
    for option in options:
        status = ("--fail-if", "peak_rss_mib > +5%")
        assert compare(*status, f"--{option}", "-", status=1) == (folder / option).read_text()


@pytest.mark.parametrize(
    "option", ["--markdown", "--junit", "--bencher", "--github-action-benchmark", "--json"]
)
def test_what_is_not_comparable_is_marked_everywhere(compare: Compare, option: str) -> None:
    words = ["--force", "--runtimes", "python", "--fail-if", "peak_rss_mib > +5%"]
    text = compare(*words, option, *(["-"] if option != "--json" else []), new="other")
    reason = "seed: was 0, is 1; give both the same --seed"
    if option == "--json":
        assert json.loads(text)["not_comparable"] == [reason]
        return
    assert "NOT COMPARABLE (seed) python, 100 agents" in text.replace("\\", "")
    assert (option == "--bencher") or reason in text
    if option == "--junit":
        suite: Any = held_to_the_schemas(text)
        assert suite.attrib["name"] == "NOT COMPARABLE (seed) agentdyno compare"
