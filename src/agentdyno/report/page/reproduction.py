"""The command that makes an experiment again."""

import json
import shlex
from collections.abc import Sequence
from typing import Any

from agentdyno.results.experiment import Experiment
from agentdyno.results.sweep import Swept
from agentdyno.rundata.cell import CONTROLS
from agentdyno.runner.settings import REQUEST

AGENTDYNO = ".venv/bin/agentdyno"

_SPELLING = {control: name for name, control in CONTROLS.items()}
"""What `--controls` takes for the controls that files name."""


def commands(experiment: Experiment, swept: Sequence[Swept]) -> list[str]:
    """Lines for a shell at the root of a checkout.

    Every option is said, so that neither defaults nor the environment, nor that an experiment was gone on
    with, matter. The key of a real endpoint is known to nobody here.
    """
    asked, commit = experiment.document["experiment"], experiment.document["environment"]["git_commit"]
    lines = [] if commit is None else [shlex.join(["git", "checkout", commit])]
    lines.append("runner/setup.sh harness")
    if not asked["simulated"]:
        model = shlex.quote(asked["model"])
        lines.append(f"export LLM_BASE_URL='…/v1' LLM_MODEL={model} LLM_API_KEY='…'")
    return [*lines, shlex.join([AGENTDYNO, *_words(experiment, swept, asked)])]


def _words(experiment: Experiment, swept: Sequence[Swept], asked: dict[str, Any]) -> list[str]:
    options: dict[str, Any] = {
        "--runtimes": _runtimes(asked),
        "--agents": ",".join(dict.fromkeys(str(cell.agents) for cell in experiment.cells)),
        "--tasks": asked["tasks"],
        "--limit": asked["limit"],
        "--repeats": asked["repeats"],
        "--until-ci": None if asked["until_ci"] is None else f"{asked['until_ci'] * 100:g}%",
        "--max-repeats": None if asked["until_ci"] is None else asked["max_repeats"],
        "--baseline": asked["baseline"],
        "--controls": ",".join(_SPELLING.get(name, name) for name in asked["controls"]) or "none",
        "--arrivals": asked["arrivals"],
        "--profile": asked["profile"] if asked["simulated"] else None,
        "--verifier": ",".join(asked["verifiers"]),
        "--verify-slots": asked["verify_slots"],
        "--verify-timeout": f"{asked['verify_timeout_s']:g}",
        "--max-retries": asked["max_retries"],
        "--request": _request(asked["request"]),
        "--seed": asked["seed"],
        "--overhead-limit": f"{swept[0].objective_ms / 1000:g}" if swept else None,
    }
    words = ["sweep" if swept else "run"]
    for option, value in options.items():
        if value is not None:
            words += [option, str(value)]
    return [*words, "--cgroup"] if asked["cgroup"] else words


def _runtimes(asked: dict[str, Any]) -> str:
    """As they were named, since some may be paths; by name where all were measured."""
    for option, value in zip(asked["command"], [*asked["command"][1:], ""], strict=True):
        if option == "--runtimes":
            return str(value)
        if option.startswith("--runtimes="):
            return str(option).removeprefix("--runtimes=")
    return ",".join(asked["runtimes"])


def _request(fields: dict[str, Any]) -> str | None:
    """What was sent beside what is sent anyway; null drops a field."""
    changed = {name: value for name, value in fields.items() if name not in REQUEST or value != REQUEST[name]}
    dropped = {name: None for name in REQUEST if name not in fields}
    return json.dumps(changed | dropped, ensure_ascii=False) if changed or dropped else None
