"""Going on with an experiment that was interrupted."""

import argparse
import json
from pathlib import Path
from typing import Any

from agentdyno import __version__
from agentdyno.errors import UserError
from agentdyno.files import sha256, write_json
from agentdyno.measure.environment import commit, machine
from agentdyno.runner.settings import Settings

FILE = "asked.json"
PATHS = ("out", "resume")


def keep(arguments: argparse.Namespace, settings: Settings) -> None:
    """Write down what was asked, so that `recall` can ask it again, and what it was asked of."""
    asked = {name: value for name, value in vars(arguments).items() if name not in PATHS}
    # What is a default today, or was in the environment, may be another tomorrow.
    asked["runtimes"] = ",".join(f"{manifest.path}" for manifest in settings.runtimes)
    asked["agents"] = ",".join(map(str, settings.agents))
    write_json(settings.folder / FILE, {"asked": asked, "of": _of(settings)})


def recall(folder: Path, command: str) -> dict[str, Any]:
    """The arguments of the experiment in `folder`; a UserError where none of `command` is there."""
    try:
        asked: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))["asked"]
        begun_with = asked["command"]
    except (OSError, ValueError, KeyError):
        raise UserError(
            f"--resume {folder}: no {FILE} there; name the folder of an experiment, as results/raw/TIME"
        ) from None
    if begun_with != command:
        raise UserError(
            f"--resume {folder}: it was begun with `agentdyno {begun_with}`; "
            f"go on with `agentdyno {begun_with} --resume {folder}`"
        )
    return asked


def hold_to(folder: Path, settings: Settings) -> None:
    """Refuse to go on with anything but what was measured before: runs of two kinds would be mixed."""
    before = json.loads((folder / FILE).read_text(encoding="utf-8"))["of"]
    now = json.loads(json.dumps(_of(settings)))
    if differing := [name for name in now if now[name] != before.get(name)]:
        name = differing[0]
        raise UserError(
            f"--resume {folder}: {name} was {before.get(name)} and is {now[name]}; "
            "go on with the same, or begin anew"
        )


def _of(settings: Settings) -> dict[str, Any]:
    """What must be the same for runs to be of one experiment."""
    return {
        "agentdyno": __version__,
        "commit": commit(),
        "machine": machine(),
        "endpoint": settings.real_endpoint.base_url if settings.real_endpoint else "simulated",
        "model": settings.model,
        "profile": settings.times,
        "tasks": sha256(f"{task.prompt}{task.tests}{task.reference}" for task in settings.tasks),
    }
