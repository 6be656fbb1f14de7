"""`agentdyno cost`: figures of a summary in machines and money."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdyno.analysis.cost import USED, Machine, needs, price
from agentdyno.analysis.registry import METRICS
from agentdyno.cli import main
from report.synthetic_summary import ASKED, ENVIRONMENT

MEDIANS = {
    "peak_rss_mib": 20.0,
    "tree_peak_pss_mib": 80.0,
    "cpu_s_per_task": 0.01,
    "tools_cpu_s_per_task": 0.19,
    "tasks_per_s": 5.0,
    "task_ms_mean": 9_000.0,
    "queue_ms_mean": 4_000.0,
}
MACHINE = ("--price-per-hour", 0.36, "--vcpus", 4, "--gib", 8)


def write(folder: Path, *rows: dict[str, Any]) -> None:
    runs = [
        {name: row[name] for name in ("runtime", "agents", "verifier", "profile")}
        | {"folder": f"runs/{number}", "block": 1, "control": "", "sha256": {}}
        for number, row in enumerate(rows)
    ]
    document = {
        "schema_version": 4,
        "experiment": {**ASKED, "cells": [], "runs": runs, "runtimes": {}},
        "environment": ENVIRONMENT,
        "rows": rows,
        "controls": [],
    }
    (folder / "summary.json").write_text(json.dumps(document))


def row(runtime: str = "python", *, valid: bool = True, **medians: float | None) -> dict[str, Any]:
    metrics = {
        name: {"median": value, "ci95": None, "values": [value], "unit": METRICS[name].unit}
        for name, value in (dict.fromkeys(METRICS) | MEDIANS | medians).items()
    }
    cell = {"runtime": runtime, "agents": 100, "verifier": "cold", "profile": "chat-7b"}
    failure = {"gate": "no swap", "run": 1, "reason": "it swapped", "remedy": "", "is_fault": False}
    return {**cell, "failures": [] if valid else [failure], "methods": {}, "valid": valid, "metrics": metrics}


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


Cost = Callable[..., Done]


@pytest.fixture
def cost(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cost:
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments: object) -> Done:
        status = main(["cost", *map(str, arguments)])
        return Done(status, *capsys.readouterr())

    return run


def lines_of(text: str) -> list[str]:
    """Its lines without the spaces that make columns."""
    return [" ".join(line.split()) for line in text.splitlines()]


@pytest.mark.usefixtures("starts_processes")
def test_the_tables(tmp_path: Path, cost: Cost) -> None:
    write(tmp_path, row())
    done = cost(tmp_path, *MACHINE)
    assert (done.returncode, done.stderr) == (0, "")
    said = lines_of(done.stdout)
    assert "python 100 5,120 1,280 10.0 200 18,000 55.6" in said
    assert "on 4 vCPUs and 8 GiB at $0.36 an hour, verifier cold" in said
    assert "python 100 10,240 2,048 20.0 CPU 5.00" in said
    for assumption in (
        "linear in agents",
        "The model is elsewhere and not paid here.",
        "100% of the processors",
    ):
        assert assumption in " ".join(said)


@pytest.mark.usefixtures("starts_processes")
def test_without_a_price_there_is_one_table(tmp_path: Path, cost: Cost) -> None:
    write(tmp_path, row())
    done = cost(tmp_path)
    assert "what tasks take, verifier cold" in done.stdout
    assert "binds" not in done.stdout
    assert "$" not in done.stdout


@pytest.mark.usefixtures("starts_processes")
def test_json(tmp_path: Path, cost: Cost) -> None:
    write(tmp_path, row(), row("floor", valid=False, tree_peak_pss_mib=None))
    document = json.loads(cost(tmp_path, *MACHINE, "--json").stdout)
    assert document["machine"] == {"price_per_hour": 0.36, "vcpus": 4, "gib": 8}
    python, floor = document["rows"]
    assert (python["runtime"], python["valid"], python["missing"]) == ("python", True, [])
    assert python["price"] == {
        "agents_that_fit": 10_240,
        "memory_tasks_per_s": 2_048,
        "cpu_tasks_per_s": 20,
        "binds": "CPU",
        "dollars_per_million_tasks": pytest.approx(5),
    }
    assert (floor["valid"], floor["missing"]) == (False, ["tree_peak_pss_mib"])
    assert floor["needs"]["agents_per_gib"] == 5_120
    assert floor["needs"]["agents_per_gib_with_tests"] is None
    assert floor["price"]["dollars_per_million_tasks"] is None


@pytest.mark.usefixtures("starts_processes")
def test_what_is_missing_is_said(tmp_path: Path, cost: Cost) -> None:
    write(tmp_path, row(tools_cpu_s_per_task=None, tasks_per_s=None), row("floor", valid=False))
    said = lines_of(cost(tmp_path, *MACHINE).stdout)
    assert "python 100 5,120 1,280 10.0 – – –" in said
    assert "python 100 10,240 2,048 – – –" in said
    assert "– python, 100 agents, verifier cold: its runs have no tools_cpu_s_per_task, tasks_per_s" in said
    assert "INVALID floor, 100 agents, verifier cold: agentdyno run said why" in said


@pytest.mark.usefixtures("starts_processes")
def test_a_machine_too_small_for_one_agent(tmp_path: Path, cost: Cost) -> None:
    write(tmp_path, row())
    said = lines_of(cost(tmp_path, "--price-per-hour", 1, "--vcpus", 1, "--gib", 0.0001).stdout)
    assert "python 100 0 0 5.00 memory –" in said
    assert "– python, 100 agents, verifier cold: not one agent fits" in said


@pytest.mark.usefixtures("starts_processes")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--price-per-hour", "1"],
            "cost: a price takes --price-per-hour, --vcpus and --gib together, as in --price-per-hour 0.17 "
            "--vcpus 4 --gib 8",
        ),
        (["--gib", "none"], "--gib must be a number above 0, not 'none'"),
        (["--vcpus", "0"], "--vcpus must be a number above 0, not '0'"),
    ],
)
def test_unusable_requests(tmp_path: Path, cost: Cost, arguments: list[str], message: str) -> None:
    write(tmp_path, row())
    done = cost(tmp_path, *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"agentdyno: {message}\n")


@pytest.mark.usefixtures("starts_processes")
@pytest.mark.parametrize(
    ("text", "what", "remedy"),
    [
        (None, "no such file", "name the folder of an experiment, as results/raw/TIME"),
        ("[]", "must be an object", "restore it, or measure again"),
        ('{"rows": []}', "is no summary of schema version 4", "measure again with this version"),
        ('{"schema_version": 3}', "(schema_version is 3)", "measure again with this version"),
        ("", "is empty", "restore it, or measure again"),
        ("{", "not JSON at column 2", "restore it, or measure again"),
        ('{"schema_version": 4}', "experiment: is missing", "restore it, or measure again"),
    ],
)
def test_a_folder_without_a_summary(
    tmp_path: Path, cost: Cost, text: str | None, what: str, remedy: str
) -> None:
    if text is not None:
        (tmp_path / "summary.json").write_text(text)
    done = cost(tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"agentdyno: {tmp_path}/summary.json: ")
    assert done.stderr.endswith(f"{remedy}\n")
    assert what in done.stderr


positive = st.floats(0.001, 1e6)


@given(
    st.integers(1, 10_000),
    st.fixed_dictionaries({name: st.none() | positive for name in USED}),
    st.builds(Machine, positive, positive, positive),
)
def test_a_price_follows_from_what_binds(
    agents: int, figures: dict[str, float | None], machine: Machine
) -> None:
    found = price(agents, figures, machine)
    if found.dollars_per_million_tasks is not None:
        assert found.memory_tasks_per_s is not None
        assert found.cpu_tasks_per_s is not None
        by = {"memory": found.memory_tasks_per_s, "CPU": found.cpu_tasks_per_s}
        assert found.binds is not None
        assert by[found.binds] == min(by.values())
        million_s = found.dollars_per_million_tasks / machine.price_per_hour * 3600
        assert million_s * by[found.binds] == pytest.approx(1e6)
    elif None not in (found.memory_tasks_per_s, found.cpu_tasks_per_s):
        assert found.agents_that_fit == 0


@given(st.integers(1, 10_000), st.fixed_dictionaries(dict.fromkeys(USED, positive)))
def test_hours_are_the_inverse_of_tasks_per_hour_and_tools_add_processor_time(
    agents: int, figures: dict[str, float | None]
) -> None:
    found = needs(agents, figures)
    assert found.tasks_per_hour is not None
    assert found.machine_hours_per_million_tasks is not None
    assert found.tasks_per_hour * found.machine_hours_per_million_tasks == pytest.approx(1e6)
    assert found.cpu_s_per_1000_tasks is not None
    assert found.cpu_s_per_1000_tasks_with_tools is not None
    assert found.cpu_s_per_1000_tasks_with_tools >= found.cpu_s_per_1000_tasks


def test_agents_that_fit_take_no_more_than_there_is() -> None:
    machine = Machine(price_per_hour=1, vcpus=1, gib=1)
    assert price(100, MEDIANS | {"tree_peak_pss_mib": 1024 * 100 / 2.9}, machine).agents_that_fit == 2
