"""Continues an experiment that was interrupted, from the settings in its folder.

Earlier versions kept options in `asked.json` instead of settings; they are still read.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from agentdyno import __version__
from agentdyno.errors import UserError
from agentdyno.files import sha256, write_json
from agentdyno.measure.machine import commit, machine
from agentdyno.runner.prepare import Prepared, prepare
from agentdyno.runner.settings import RealEndpoint, Settings, request_with

OPTIONS_FILE = "asked.json"

RENAMED = {
    "verifier": "verifiers",
    "verify_timeout": "verify_timeout_s",
    "stall": "stall_s",
    "overhead_limit": "overhead_limit_s",
}
"""The setting that each option became, where the two have different names."""

LISTS = ("runtimes", "agents", "controls", "verifiers")
"""The settings that were options with commas in them."""

LATER: dict[str, Any] = {
    "overhead_limit_s": None,
    "connect_timeout_s": 10.0,
    "idle_timeout_s": 60.0,
    "total_timeout_s": 900.0,
    "proxy": None,
    "ca_bundle": None,
    "headers": {},
    "system_role": True,
}
"""The settings that were no options, or not of every command, and what they were."""

NO_SETTINGS = ("command", "strict", "document")
"""The options that never said what is measured."""


def as_written_today(document: dict[str, Any]) -> dict[str, Any]:
    """What `settings.json` would hold. A KeyError, TypeError, ValueError or AttributeError where `document`
    is not what earlier versions wrote.
    """
    options, of = document["asked"], document["of"]
    settings = {RENAMED.get(name, name): value for name, value in options.items() if name not in NO_SETTINGS}
    settings |= {name: settings[name].split(",") for name in LISTS}
    settings["agents"] = [int(number) for number in settings["agents"]]
    settings["controls"] = [] if settings["controls"] == ["none"] else settings["controls"]
    settings["request"] = request_with(settings["request"])
    settings = {**LATER, **settings}
    settings["real_endpoint"] = (
        None if of["endpoint"] == "simulated" else {"base_url": of["endpoint"], "model": of["model"]}
    )
    return {"command": options["command"], "settings": settings, "of": of}


FILE = "settings.json"


def keep(prepared: Prepared, command: str) -> None:
    """Write down with which settings `command` began the experiment, and what they were asked of."""
    # What can be built today may be more or less tomorrow.
    runtimes = tuple(str(manifest.path) for manifest in prepared.runtimes)
    write_json(
        prepared.folder / FILE,
        {
            "command": command,
            "settings": replace(prepared.settings, runtimes=runtimes).as_json(),
            "of": _of(prepared),
        },
    )


def resume(folder: Path, command: str, named: RealEndpoint | None) -> Prepared:
    """The experiment in `folder`, prepared anew with the settings that it was begun with.

    `named` is the real endpoint that the environment names, if any: the experiment must be one of the same.
    A UserError in one line where `folder` holds no experiment that `command` began, where its settings cannot
    be read, or where anything that the runs depend on is not as it was.
    """
    path, document = _read(folder)
    begun_with = document.get("command")
    if begun_with not in ("run", "sweep"):
        raise UserError(f"{path}: command is {begun_with!r} and not run or sweep; begin anew")
    if begun_with != command:
        raise UserError(
            f"--resume {folder}: it was begun with `agentdyno {begun_with}`; "
            f"go on with `agentdyno {begun_with} --resume {folder}`"
        )
    settings = Settings.from_json(document.get("settings"), path)
    if named is not None and named != settings.real_endpoint:
        before = settings.real_endpoint
        if _address(before) != named.base_url:
            raise _otherwise(folder, "endpoint", _address(before), named.base_url)
        raise _otherwise(folder, "model", settings.model, named.model)
    folder_itself = folder.resolve()  # and not results/latest, which leads to it
    prepared = prepare(settings, lambda: folder_itself)
    _hold_to(folder, document.get("of"), prepared)
    return prepared


def _read(folder: Path) -> tuple[Path, dict[str, Any]]:
    """The settings file of the folder, and the object in it; what an earlier version wrote comes back as
    this version writes it.
    """
    for name, read in ((FILE, dict[str, Any]), (OPTIONS_FILE, as_written_today)):
        path = folder / name
        try:
            return path, read(json.loads(path.read_text(encoding="utf-8")))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UserError(
                f"{path}: the settings of the experiment cannot be read ({error!r}); mend that, or begin anew"
            ) from None
    raise UserError(
        f"--resume {folder}: no {FILE} there; name the folder of an experiment, as results/raw/TIME"
    )


def _hold_to(folder: Path, before: object, prepared: Prepared) -> None:
    """Refuse to go on with anything but what was measured before: runs of two kinds would be mixed."""
    then = before if isinstance(before, dict) else {}
    now = json.loads(json.dumps(_of(prepared)))
    for name in now:
        if now[name] != then.get(name):
            raise _otherwise(folder, name, then.get(name), now[name])


def _otherwise(folder: Path, name: str, before: object, now: object) -> UserError:
    return UserError(
        f"--resume {folder}: {name} was {before} and is {now}; go on with the same, or begin anew"
    )


def _of(prepared: Prepared) -> dict[str, Any]:
    """What must be the same for runs to be of one experiment."""
    return {
        "agentdyno": __version__,
        "commit": commit(),
        "machine": machine(),
        "endpoint": _address(prepared.settings.real_endpoint),
        "model": prepared.settings.model,
        "profile": prepared.times,
        "tasks": sha256(f"{task.prompt}{task.tests}{task.reference}" for task in prepared.tasks),
    }


def _address(endpoint: RealEndpoint | None) -> str:
    return endpoint.base_url if endpoint else "simulated"
