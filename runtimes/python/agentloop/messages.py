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
    """Read prompts.json; raises `InvalidInput`."""
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

    __slots__ = ("_prompts", "_task", "_turns")

    def __init__(self, prompts: Prompts, task: Task) -> None:
        self._prompts = prompts
        self._task = task
        self._turns: list[dict[str, str]] = []

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
        messages = [*self._opening(), *self._turns]
        return canonical_json({**request, "model": model, "messages": messages, "stream": True})

    def _opening(self) -> list[dict[str, str]]:
        """Make the first two messages anew: kept while the model speaks, they would be the task once more."""
        task = self._task
        values = {"task_id": task.task_id, "prompt": task.prompt, "tests": task.tests}
        return [
            {"role": "system", "content": _fill(self._prompts.system, values)},
            {"role": "user", "content": _fill(self._prompts.user, values)},
        ]

    def _go_on(self, reply: str, answer: str) -> None:
        self._turns.append({"role": "assistant", "content": reply})
        self._turns.append({"role": "user", "content": answer})


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
