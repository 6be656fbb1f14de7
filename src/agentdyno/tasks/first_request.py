"""The first request of a task, as the contract lays it down (runtimes/CONTRACT.md, "One task")."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agentdyno.reading import read_json
from agentdyno.tasks.task import Task

_PLACEHOLDER = re.compile(r"\{(task_id|prompt|tests|output)\}")


@dataclass(frozen=True, slots=True)
class Prompts:
    """What is read of a prompts file: the texts of a task's first two messages, with placeholders."""

    user: str
    system: str = ""


REMEDY = "name one with --prompts FILE; runtimes/contract/prompts.json shows the form"


def read_prompts(path: Path, remedy: str = REMEDY) -> Prompts:
    """Read a prompts file; an Unreadable says what is wrong with it, and `remedy` what to do."""
    return read_json(path, Prompts, remedy)


def render(template: str, task: Task) -> str:
    """`template` with the task's values for its placeholders, in one pass; other braces stay."""
    values = {"task_id": task.task_id, "prompt": task.prompt, "tests": task.tests, "output": "{output}"}
    return _PLACEHOLDER.sub(lambda found: values[found[1]], template)


def first_body(prompts: Prompts, task: Task, model: str, request: Mapping[str, object]) -> bytes:
    """The body of the task's first request, with the further fields of `request`."""
    messages = [
        {"role": "system", "content": render(prompts.system, task)},
        {"role": "user", "content": render(prompts.user, task)},
    ]
    return canonical({"model": model, "messages": messages, "stream": True, **request})


def first_request_sha256(prompts: Prompts, task: Task, model: str, request: Mapping[str, object]) -> str:
    """The SHA-256 of that body, in hexadecimal."""
    return hashlib.sha256(first_body(prompts, task, model, request)).hexdigest()


def canonical(value: object) -> bytes:
    """The one spelling of a JSON value: sorted keys, no white space, UTF-8, whole numbers as integers."""
    text = json.dumps(
        _whole(value), ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )
    return text.encode("utf-8", "surrogatepass")


def _whole(value: object) -> object:
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_whole(item) for item in value]
        case dict():
            return {name: _whole(item) for name, item in value.items()}
        case _:
            return value
