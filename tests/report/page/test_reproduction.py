"""The command that makes an experiment again is one that agentdyno takes, and asks for the same."""

import argparse
import shlex
from pathlib import Path
from typing import Any

import pytest

from agentdyno.commands import run, sweep
from agentdyno.commands.experiment_options import DEFAULTS, settings_of
from agentdyno.commands.sweep import SWEEP_DEFAULTS
from agentdyno.report.page.surroundings import commands
from agentdyno.runner.settings import Settings
from report.page.synthetic import experiment, row
from report.page.test_many_agents import swept
from report.synthetic_summary import COMMIT

OPTIONS = (
    "--tasks builtin --limit 100 --repeats 3 --controls aa,drift --arrivals at-once --profile steady "
    "--verifier null --verify-slots 2 --verify-timeout 10 --max-retries 3 --seed 0"
)


def test_the_lines(tmp_path: Path) -> None:
    found = experiment(tmp_path, row("rust", 1), row("go", 1), row("rust", 1, agents=5))
    assert commands(found, []) == [
        f"git checkout {COMMIT}",
        "runner/setup.sh harness",
        f".venv/bin/agentdyno run --runtimes rust,go --agents 100,5 {OPTIONS}",
    ]


def understood(line: str, command: Any, defaults: Settings) -> Settings:
    """What agentdyno makes of it."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return settings_of(parser.parse_args(shlex.split(line)[2:]), {}, defaults)


@pytest.mark.parametrize(
    ("asked", "setting", "value"),
    [
        ({"command": ["agentdyno", "run", "--runtimes", "../my own/,go"]}, "runtimes", ("../my own/", "go")),
        ({"command": ["agentdyno", "run", "--runtimes=x"]}, "runtimes", ("x",)),
        ({"command": ["agentdyno", "run", "--resume", "results/raw/TIME"]}, "runtimes", ("rust",)),
        ({"until_ci": 0.05, "max_repeats": 9}, "until_ci", 0.05),
        ({"until_ci": 0.05, "max_repeats": 9}, "max_repeats", 9),
        ({"baseline": "rust"}, "baseline", "rust"),
        ({"controls": []}, "controls", ()),
        ({"controls": ["twin", "unsampled"]}, "controls", ("twin", "unsampled")),
        ({"cgroup": True}, "cgroup", True),
        ({"profile": "steady:ttft=1ms"}, "profile", "steady:ttft=1ms"),
        ({"timeouts": {"connect_s": 10, "event_idle_s": 75.5, "total_s": 900}}, "idle_timeout_s", 75.5),
        ({"timeouts": {"connect_s": 1, "event_idle_s": 60, "total_s": 900}}, "connect_timeout_s", 1),
        ({"verifiers": ["cold", "null"]}, "verifiers", ("cold", "null")),
        (
            {"request": {"max_tokens": 9, "temperature": 0, "stop": "it's"}},
            "request",
            {"max_tokens": 9, "temperature": 0, "stop": "it's"},
        ),
    ],
)
def test_it_asks_for_the_same(tmp_path: Path, asked: dict[str, Any], setting: str, value: object) -> None:
    line = commands(experiment(tmp_path, row("rust", 1), **asked), [])[-1]
    assert getattr(understood(line, run, DEFAULTS), setting) == value


def test_a_sweep(tmp_path: Path) -> None:
    line = commands(experiment(tmp_path, row("rust", 1)), [swept("rust", 3, 10, 20)])[-1]
    assert line.startswith(".venv/bin/agentdyno sweep --runtimes rust ")
    assert understood(line, sweep, SWEEP_DEFAULTS).overhead_limit_s == 0.05


def test_a_real_endpoint_is_named_in_the_environment(tmp_path: Path) -> None:
    found = experiment(
        tmp_path,
        row("rust", 1),
        simulated=False,
        endpoint="http://h/v1",
        model="a b",
        profile="real:a b",
        connection={"proxy": "env:MY_PROXY", "headers": {"X-Team": "red"}, "system_role": False},
        environment={"git_commit": None, "git_dirty": None},
    )
    setup, export, run = commands(found, [])
    assert (setup, export) == (
        "runner/setup.sh harness",
        "export LLM_BASE_URL='…/v1' LLM_MODEL='a b' LLM_API_KEY='…'",
    )
    assert "--profile" not in run
    assert run.endswith("--proxy env:MY_PROXY --header X-Team=red --no-system-role")
