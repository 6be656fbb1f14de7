"""Continues an experiment that was interrupted, from the settings in its folder.

Earlier versions kept options in `asked.json` instead of settings; they are still read.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict

from agentdyno import __version__
from agentdyno.errors import UserError
from agentdyno.files import sha256, write_json
from agentdyno.measure.machine import commit, machine
from agentdyno.options import WHOLE
from agentdyno.reading import Missing, Unreadable, read_json
from agentdyno.results.bound import SETTINGS
from agentdyno.runner.prepare import Prepared, prepare
from agentdyno.runner.settings import RealEndpoint, Settings, request_with
from agentdyno.shape import Json, Unfit, shaped

OPTIONS_FILE = "asked.json"
REMEDY = "mend that, or begin anew"

RENAMED = {
    "verifier": "verifiers",
    "verify_timeout": "verify_timeout_s",
    "stall": "stall_s",
    "overhead_limit": "overhead_limit_s",
}
"""The setting that each option became, where the two have different names."""

LISTS = {"runtimes": "runtimes", "agents": "agents", "controls": "controls", "verifier": "verifiers"}
"""The settings that were options with commas in them, by the option."""

LATER: dict[str, Any] = {
    "redo": 0,
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


class _Options(TypedDict):
    """The options of version 0.1.0 that need another form."""

    command: Json
    runtimes: str
    agents: str
    controls: str
    verifier: str
    request: dict[str, Json]


class _Of(TypedDict):
    endpoint: str
    model: str


class _Asked(TypedDict):
    asked: _Options
    of: _Of


def as_written_today(document: dict[str, Any]) -> dict[str, Any]:
    """What `settings.json` would hold. An Unfit where `document` is not what earlier versions wrote."""
    shaped(document, _Asked)
    options, of = document["asked"], document["of"]
    settings = {RENAMED.get(name, name): value for name, value in options.items() if name not in NO_SETTINGS}
    settings |= {name: options[option].split(",") for option, name in LISTS.items()}
    settings["agents"] = [_whole(number) for number in settings["agents"]]
    settings["controls"] = [] if settings["controls"] == ["none"] else settings["controls"]
    settings["request"] = request_with(settings["request"])
    settings = {**LATER, **settings}
    settings["real_endpoint"] = (
        None if of["endpoint"] == "simulated" else {"base_url": of["endpoint"], "model": of["model"]}
    )
    return {"command": options["command"], "settings": settings, "of": of}


def _whole(text: str) -> int:
    if WHOLE.fullmatch(text) is None:
        raise Unfit("must be whole numbers with commas between them", "asked.agents")
    return int(text)


def keep(prepared: Prepared, command: str) -> None:
    """Write down with which settings `command` began the experiment, and what they were asked of."""
    # What can be built today may be more or less tomorrow.
    runtimes = tuple(str(manifest.path) for manifest in prepared.runtimes)
    write_json(
        prepared.folder / SETTINGS,
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
    settings, of = kept_settings(folder, command)
    if named is not None and named != settings.real_endpoint:
        before = settings.real_endpoint
        if _address(before) != named.base_url:
            raise _otherwise(folder, "endpoint", _address(before), named.base_url)
        raise _otherwise(folder, "model", settings.model, named.model)
    folder_itself = folder.resolve()  # and not results/latest, which leads to it
    prepared = prepare(settings, lambda: folder_itself)
    _hold_to(folder, of, prepared)
    return prepared


def kept_settings(folder: Path, command: str) -> tuple[Settings, object]:
    """The settings that the experiment in `folder` was begun with, and what they were asked of.

    A UserError in one line where `folder` holds no experiment that `command` began, or where its settings
    cannot be read.
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
    return Settings.from_json(document.get("settings"), path), document.get("of")


def _read(folder: Path) -> tuple[Path, dict[str, Any]]:
    """The settings file of the folder, and the object in it; what an earlier version wrote comes back as
    this version writes it.
    """
    for name, read in ((SETTINGS, dict[str, Any]), (OPTIONS_FILE, as_written_today)):
        path = folder / name
        try:
            return path, read(read_json(path, dict[str, Json], REMEDY))
        except Missing:
            continue
        except Unfit as wrong:
            raise Unreadable(path, str(wrong), REMEDY) from None
    raise UserError(
        f"--resume {folder}: no {SETTINGS} there; name the folder of an experiment, as results/raw/TIME"
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
