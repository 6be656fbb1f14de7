"""Reads `asked.json`, in which earlier versions kept the options of an experiment instead of its settings."""

from typing import Any

from agentdyno.runner.settings import request_with

FILE = "asked.json"

RENAMED = {
    "verifier": "verifiers",
    "verify_timeout": "verify_timeout_s",
    "stall": "stall_s",
    "overhead_limit": "overhead_limit_s",
}
"""The setting that each option became, where the two have different names."""

LISTS = ("runtimes", "agents", "controls", "verifiers")
"""The settings that were options with commas in them."""

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
    settings.setdefault("overhead_limit_s", None)
    settings["real_endpoint"] = (
        None if of["endpoint"] == "simulated" else {"base_url": of["endpoint"], "model": of["model"]}
    )
    return {"command": options["command"], "settings": settings, "of": of}
