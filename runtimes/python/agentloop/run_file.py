"""The run file and what it names.

Source: runtimes/CONTRACT.md, "The run file".
"""

import json
import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

CONTRACT_VERSION = 1

_FIELDS_OF_OUR_OWN = ("messages", "model", "stream")
_BASE_URL = re.compile(
    r"https?://(?:\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]]+)(?::[0-9]{1,5})?(?:/[!-\">-~$-;=]*)?", re.ASCII
)
_JsonType = TypeVar("_JsonType", str, list, dict)


class Unusable(Exception):
    """The run file, or something it names, cannot be used; the message is one line: what, where, what to do."""


@dataclass(frozen=True, slots=True)
class Task:
    """One coding problem, as the tasks file gives it."""

    task_id: str
    prompt: str
    tests: str
    entry_point: str


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Bounds of a completion, in seconds: to connect, between two data events, over all tries."""

    connect_s: float = 10.0
    event_idle_s: float = 60.0
    total_s: float = 600.0


@dataclass(frozen=True, slots=True)
class TransportRetries:
    """How failed tries are repeated: how often, and the base and cap of the exponential backoff in seconds."""

    max_retries: int = 5
    base_s: float = 0.5
    cap_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Verify:
    """How attempts are verified: what runs, in which environment, for how long, how many at once."""

    argv: list[str]
    env: dict[str, str]
    timeout_s: float
    slots: int
    output_limit_bytes: int


@dataclass(frozen=True, slots=True)
class RunFile:
    """Everything that a run is told; paths are absolute and without symbolic links."""

    tasks_file: str
    prompts_file: str
    base_url: str
    model: str
    request: dict[str, object]
    agents: int
    max_retries: int
    verify: Verify
    timeouts: Timeouts
    transport: TransportRetries
    workspaces: str
    events: str


def load_run_file(path: str) -> RunFile:
    """Read and check the run file; raises `Unusable`."""
    fields = _Fields(path, _read_json_object(path))
    version = fields.integer("contract_version", at_least=0)
    if version != CONTRACT_VERSION:
        raise Unusable(
            f"{path}: contract_version is {version}, and this runtime obeys {CONTRACT_VERSION}; "
            "use a harness and a runtime of the same version"
        )
    return RunFile(
        tasks_file=fields.path("tasks_file"),
        prompts_file=fields.path("prompts_file"),
        base_url=fields.base_url("base_url"),
        model=fields.text("model"),
        request=fields.request("request"),
        agents=fields.integer("agents", at_least=1),
        max_retries=fields.integer("max_retries", at_least=0),
        verify=_verify(fields.fields("verify")),
        timeouts=_timeouts(fields.fields("timeouts")),
        transport=_transport(fields.fields("transport")),
        workspaces=fields.writable_folder("workspaces"),
        events=fields.path("events"),
    )


def _verify(fields: "_Fields") -> Verify:
    return Verify(
        argv=fields.texts("argv"),
        env=fields.environment("env"),
        timeout_s=fields.number("timeout_s", above=0),
        slots=fields.integer("slots", at_least=1),
        output_limit_bytes=fields.integer("output_limit_bytes", at_least=1),
    )


def _timeouts(fields: "_Fields") -> Timeouts:
    return Timeouts(
        connect_s=fields.number("connect_s", above=0),
        event_idle_s=fields.number("event_idle_s", above=0),
        total_s=fields.number("total_s", above=0),
    )


def _transport(fields: "_Fields") -> TransportRetries:
    return TransportRetries(
        max_retries=fields.integer("max_retries", at_least=0),
        base_s=fields.number("base_s", at_least=0),
        cap_s=fields.number("cap_s", at_least=0),
    )


def load_tasks(path: str) -> Iterator[Task]:
    """Yield the tasks of a JSON lines file one by one, so that waiting ones take no memory; raises `Unusable`."""
    try:
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                yield _task(f"{path}, line {number}", line)
    except (OSError, UnicodeDecodeError) as failure:
        raise Unusable(f"{path}: cannot be read as UTF-8 text ({failure}); write it as JSON lines") from None


def check_tasks(path: str) -> None:
    """Raise `Unusable` unless every task can be loaded and no two have the same name."""
    seen: set[str] = set()
    for task in load_tasks(path):
        if task.task_id in seen:
            raise Unusable(
                f"{path}: task_id {task.task_id!r} is there twice; give every task a name of its own"
            )
        seen.add(task.task_id)


def load_texts(path: str, names: tuple[str, ...]) -> dict[str, str]:
    """Return the named texts of a JSON object in a file; raises `Unusable`."""
    fields = _Fields(path, _read_json_object(path))
    return {name: fields.text(name) for name in names}


def _task(where: str, line: str) -> Task:
    fields = _Fields(where, _parse_json_object(where, line))
    return Task(
        task_id=fields.text("task_id"),
        prompt=fields.text("prompt"),
        tests=fields.text("tests"),
        entry_point=fields.text("entry_point"),
    )


def _read_json_object(path: str) -> dict[str, object]:
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as failure:
        raise Unusable(f"{path}: cannot be read ({failure}); name a UTF-8 file that is there") from None
    return _parse_json_object(path, text)


def _parse_json_object(where: str, text: str) -> dict[str, object]:
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as failure:
        raise Unusable(f"{where}: is not JSON ({failure}); write one JSON object there") from None
    if not isinstance(value, dict):
        raise Unusable(f"{where}: holds {_shown(value)}; write one JSON object there")
    return value


def _refuse_constant(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON number")


class _Fields:
    """The fields of one JSON object, each asked for by its type; a field that is not there is of no type."""

    def __init__(self, where: str, values: dict[str, object], prefix: str = "") -> None:
        self._where = where
        self._values = values
        self._prefix = prefix

    def text(self, name: str) -> str:
        text = self._typed(name, str, "a string")
        if not _is_unicode(text):
            raise self._unusable(name, "a string without halves of surrogate pairs")
        return text

    def texts(self, name: str) -> list[str]:
        values = self._typed(name, list, "a list of strings, at least one")
        if not values or not all(_is_argument(value) for value in values):
            raise self._unusable(name, "a list of strings, at least one")
        return values

    def environment(self, name: str) -> dict[str, str]:
        values = self._typed(name, dict, "an object of strings")
        if not all(
            _is_argument(value) and _is_argument(key) and "=" not in key for key, value in values.items()
        ):
            raise self._unusable(name, "an object of strings")
        return values

    def request(self, name: str) -> dict[str, object]:
        values = self._typed(name, dict, "an object")
        if any(field in values for field in _FIELDS_OF_OUR_OWN):
            raise self._unusable(name, "an object without messages, model and stream")
        if not _is_unicode(json.dumps(values, ensure_ascii=False)):
            raise self._unusable(name, "an object without halves of surrogate pairs")
        return values

    def fields(self, name: str) -> "_Fields":
        return _Fields(self._where, self._typed(name, dict, "an object"), f"{self._prefix}{name}.")

    def integer(self, name: str, *, at_least: int) -> int:
        value = self._values.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
            raise self._unusable(name, f"an integer of at least {at_least}")
        return value

    def number(self, name: str, *, above: float = -math.inf, at_least: float = -math.inf) -> float:
        value = self._values.get(name)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not (value > above and at_least <= value < math.inf)
        ):
            raise self._unusable(name, "a number above 0" if above == 0 else "a number of at least 0")
        return float(value)

    def path(self, name: str) -> str:
        value = self.text(name)
        if not value or "\0" in value:
            raise self._unusable(name, "a path")
        return os.path.realpath(value)

    def writable_folder(self, name: str) -> str:
        path = self.path(name)
        if not os.path.isdir(path) or not os.access(path, os.W_OK | os.X_OK):
            raise self._unusable(name, "an existing folder that can be written to")
        return path

    def base_url(self, name: str) -> str:
        value = self.text(name)
        if not _BASE_URL.fullmatch(value):
            raise self._unusable(name, "http:// or https://, a host, a port or none, and a path")
        return value.rstrip("/")

    def _typed(self, name: str, kind: type[_JsonType], wanted: str) -> _JsonType:
        value = self._values.get(name)
        if not isinstance(value, kind):
            raise self._unusable(name, wanted)
        return value

    def _unusable(self, name: str, wanted: str) -> Unusable:
        found = f"is {_shown(self._values[name])}" if name in self._values else "is missing"
        return Unusable(f"{self._where}: {self._prefix}{name} {found}; it must be {wanted}")


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text) if not text.isascii() else True


def _is_argument(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value and _is_unicode(value)


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:60] + "…"
