"""OpenAI's API: checks a request for a chat completion, and reports errors in the API's form.

The messages themselves show which task a conversation is about and which attempt it asks for, so any client
can be used, without a header or a session. The first user message is exactly the rendered message of a
task, or it contains the prompt of a task. The attempt is one more than the number of assistant turns.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

from agentdyno.tasks.first_request import render
from agentdyno.tasks.task import Task

Message = dict[str, Any]
"""One entry of a request's `messages`: a `role`, and usually a `content`."""


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


class ApiError(Exception):
    """The request gets an error object instead of a completion.

    The error object is `{"error": {"message", "type", "param", "code"}}`, as in OpenAI's API reference.
    `allow` is the value of the `Allow` header of a 405.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        allow: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.param = param
        self.code = code
        self.allow = allow

    def body(self) -> bytes:
        """The error object, as JSON."""
        error = {"message": str(self), "type": self.kind, "param": self.param, "code": self.code}
        return json.dumps({"error": error}).encode()


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """The fields of a request that the endpoint respects."""

    model: str
    messages: list[Message]
    stream: bool
    include_usage: bool
    max_tokens: int | None

    def characters(self) -> int:
        """The number of characters of text in the messages."""
        return sum(len(text_of(message)) for message in self.messages)


def parse_json(body: bytes) -> Any:
    """The JSON value in `body`; raises `ApiError` 400."""
    try:
        return json.loads(body.decode(), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise ApiError(400, f"The body is not UTF-8: {error}.", code="invalid_json") from None
    except RecursionError:
        raise ApiError(400, "The body is nested too deeply.", code="invalid_json") from None
    except ValueError as error:
        raise ApiError(400, f"The body is not JSON: {error}.", code="invalid_json") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def canonical_sha256(body: bytes) -> str | None:
    """The SHA-256 of the canonical form of the JSON in `body`; None if it is not JSON or nests too deeply.

    The runtime contract defines the canonical form: keys sorted by code point, no white space, UTF-8, and no
    escapes but the necessary ones.
    """
    try:
        return hashlib.sha256(canonical(parse_json(body))).hexdigest()
    except (ApiError, RecursionError):
        return None


def canonical(value: Any) -> bytes:
    """The canonical form of a JSON value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def parse_chat_request(body: bytes) -> ChatRequest:
    """Read and check the body of `POST /v1/chat/completions`; unknown fields are allowed.

    Raises `ApiError` 400, which names the field.
    """
    document = parse_json(body)
    if not isinstance(document, dict):
        raise ApiError(400, "The body must be a JSON object.", code="invalid_type")
    model = document.get("model")
    if not isinstance(model, str):
        _wrong_type("model", "a string", missing="model" not in document)
    options = _optional(document, "stream_options", dict) or {}
    if document.get("n") not in (None, 1):
        raise ApiError(400, "Only n = 1 is supported.", param="n", code="unsupported_value")
    for field in ("temperature", "top_p", "frequency_penalty", "presence_penalty"):
        _optional(document, field, (int, float))
    return ChatRequest(
        model=model,
        messages=_messages(document),
        stream=bool(_optional(document, "stream", bool)),
        include_usage=bool(_optional(options, "include_usage", bool, prefix="stream_options.")),
        max_tokens=_max_tokens(document),
    )


def _messages(document: dict[str, Any]) -> list[Message]:
    messages = document.get("messages")
    if not isinstance(messages, list):
        _wrong_type("messages", "an array", missing="messages" not in document)
    if not messages:
        raise ApiError(400, "messages is empty.", param="messages", code="empty_array")
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        if not isinstance(message, dict):
            _wrong_type(where, "an object")
        if not isinstance(message.get("role"), str):
            _wrong_type(f"{where}.role", "a string", missing="role" not in message)
        content = message.get("content")
        if isinstance(content, list):
            if not all(isinstance(part, dict) for part in content):
                _wrong_type(f"{where}.content", "an array of objects")
        elif content is not None and not isinstance(content, str):
            _wrong_type(f"{where}.content", "a string or an array")
    return messages


def _max_tokens(document: dict[str, Any]) -> int | None:
    for field in ("max_completion_tokens", "max_tokens"):
        value: int | None = _optional(document, field, int)
        if value is not None:
            if value < 1:
                raise ApiError(
                    400, f"{field} must be at least 1.", param=field, code="integer_below_min_value"
                )
            return value
    return None


_NAMES = {bool: "a boolean", int: "an integer", (int, float): "a number", dict: "an object"}


def _optional(document: dict[str, Any], field: str, kind: Any, *, prefix: str = "") -> Any:
    value = document.get(field)
    # In Python a boolean is an integer; in JSON it is not.
    if value is not None and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)):
        _wrong_type(prefix + field, _NAMES[kind])
    return value


def _wrong_type(field: str, expected: str, *, missing: bool = False) -> NoReturn:
    if missing:
        raise ApiError(400, f"{field} is missing.", param=field, code="missing_required_parameter")
    raise ApiError(400, f"{field} must be {expected}.", param=field, code="invalid_type")
