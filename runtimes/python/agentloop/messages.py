"""The conversation with the model, and the exact bytes that carry it.

Source: runtimes/CONTRACT.md, "One task", and runtimes/contract/vectors/messages.json.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from agentloop.fields import Fields
from agentloop.tasks import Task

_PLACEHOLDER = re.compile(r"\{(task_id|prompt|tests|output)\}")


@dataclass(frozen=True, slots=True)
class Prompts:
    """The texts of prompts.json."""

    system: str
    user: str
    tests_failed: str
    timed_out: str
    no_code: str


def load_prompts(path: str) -> Prompts:
    """Read prompts.json; raises `Unusable`."""
    fields = Fields.of_file(path)
    return Prompts(
        system=fields.text("system"),
        user=fields.text("user"),
        tests_failed=fields.text("tests_failed"),
        timed_out=fields.text("timed_out"),
        no_code=fields.text("no_code"),
    )


class Conversation:
    """All that was said about one task, ready to be sent."""

    __slots__ = ("_messages", "_prompts")

    def __init__(self, prompts: Prompts, task: Task) -> None:
        values = {"task_id": task.task_id, "prompt": task.prompt, "tests": task.tests}
        self._prompts = prompts
        self._messages = [
            {"role": "system", "content": _fill(prompts.system, values)},
            {"role": "user", "content": _fill(prompts.user, values)},
        ]

    def tests_failed(self, reply: str, output: str) -> None:
        """Go on after a reply that did not pass; `output` is the normalised output of the tests."""
        self._go_on(reply, _fill(self._prompts.tests_failed, {"output": output}))

    def timed_out(self, reply: str) -> None:
        """Go on after a reply whose tests had to be stopped."""
        self._go_on(reply, self._prompts.timed_out)

    def no_code(self, reply: str) -> None:
        """Go on after a reply without a code block."""
        self._go_on(reply, self._prompts.no_code)

    def body(self, model: str, request: Mapping[str, object]) -> bytes:
        """Return the request body, in canonical JSON; `request` holds the further fields."""
        return canonical_json({**request, "model": model, "messages": self._messages, "stream": True})

    def _go_on(self, reply: str, answer: str) -> None:
        self._messages.append({"role": "assistant", "content": reply})
        self._messages.append({"role": "user", "content": answer})


def canonical_json(value: object) -> bytes:
    """Return `value` as the one JSON text that all runtimes agree on, in UTF-8.

    Keys are sorted by code point, there is no white space, only what JSON demands is escaped, and a number
    without a fraction is an integer. Raises `ValueError` for infinity and for half of a surrogate pair.
    """
    text = json.dumps(
        _whole(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    return text.encode()


def _whole(value: object) -> object:
    """Make integers of the floats without a fraction: in JSON they are the same."""
    if isinstance(value, dict):
        return {name: _whole(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_whole(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _fill(template: str, values: Mapping[str, str]) -> str:
    """Replace placeholders in one pass: what is put in is not looked at again, and unknown ones are text."""
    return _PLACEHOLDER.sub(lambda placeholder: values.get(placeholder[1], placeholder[0]), template)
