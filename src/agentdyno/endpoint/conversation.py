"""Which task a conversation is about, and which attempt it asks for.

The messages themselves show both, so any client can be used, without a header or a session. The first user
message is exactly the rendered message of a task, or it contains the prompt of a task. The attempt is one
more than the number of assistant turns.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from agentdyno.errors import UserError
from agentdyno.tasks.task import Task

Message = dict[str, Any]
"""One entry of a request's `messages`: a `role`, and usually a `content`."""

_PLACEHOLDER = re.compile(r"\{(task_id|prompt|tests|output)\}")


def read_user_template(path: Path) -> str:
    """The `user` text of a prompts file (runtimes/CONTRACT.md); raises `UserError`."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"prompts file {path}: {error.strerror}; name it with --prompts FILE") from None
    except ValueError as error:
        raise UserError(f"prompts file {path} is not JSON: {error}") from None
    user = document.get("user") if isinstance(document, dict) else None
    if not isinstance(user, str):
        raise UserError(f'prompts file {path}: no text "user"; runtimes/contract/prompts.json shows the form')
    return user


def render(template: str, task: Task) -> str:
    """`template` with the task's values for its placeholders, in one pass; other braces stay."""
    values = {"task_id": task.task_id, "prompt": task.prompt, "tests": task.tests, "output": "{output}"}
    return _PLACEHOLDER.sub(lambda found: values[found[1]], template)


def text_of(message: Message) -> str:
    """The text of a message, whose content is a string, a list of parts, or absent."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(part["text"] for part in content if isinstance(part.get("text"), str))
    return ""


def attempt_of(messages: list[Message]) -> int:
    """One more than the number of assistant turns."""
    return 1 + [message["role"] for message in messages].count("assistant")


def opening_of(messages: list[Message]) -> str:
    """The text of the first user message, or of the first message if there is no user message."""
    return text_of(next((message for message in messages if message["role"] == "user"), messages[0]))


def key_of(opening: str) -> str:
    """The key of a conversation about an unknown task: the SHA-256 of its opening message."""
    return hashlib.sha256(opening.encode("utf-8", "surrogatepass")).hexdigest()


class Catalogue:
    """Finds the task of an opening message."""

    def __init__(self, tasks: Iterable[Task], template: str) -> None:
        self._by_message: dict[str, Task] = {}
        by_prompt: dict[str, Task] = {}
        for task in tasks:
            self._by_message[render(template, task)] = task
            by_prompt.setdefault(task.prompt, task)
        self._longest_prompt_first = sorted(by_prompt.items(), key=lambda item: len(item[0]), reverse=True)

    def find(self, opening: str) -> Task | None:
        """The task of a conversation with this opening message; None if it is about none of the tasks."""
        task = self._by_message.get(opening)
        if task is not None:
            return task
        return next((task for prompt, task in self._longest_prompt_first if prompt in opening), None)
