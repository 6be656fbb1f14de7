"""What the chunks of a streamed chat completion add up to.

Source: "The chat completion chunk object" of OpenAI's API reference, and runtimes/contract/vectors/sse.json.
"""

import json
import math

from agentloop.extraction import WHITE_SPACE

# A usage that is nested deeper is passed over, as the events could not hold it whatever its depth.
_USAGE_DEPTH = 100


class BrokenStream(Exception):
    """The stream cannot become a completion; `kind` is `truncated`, `malformed` or `endpoint`."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


class Completion:
    """A chat completion that grows chunk by chunk.

    `finish_reason` is None until the model has finished; `usage` is the endpoint's usage object, or None.
    """

    __slots__ = ("_utf_8", "ended", "finish_reason", "usage")

    def __init__(self) -> None:
        # A list of the pieces, each an object, would take ten times the memory of the text.
        self._utf_8 = bytearray()
        self.ended = False
        self.finish_reason: str | None = None
        self.usage: dict[str, object] | None = None

    @property
    def started(self) -> bool:
        """Whether any content has arrived."""
        return bool(self._utf_8)

    @property
    def text(self) -> str:
        """All content so far."""
        text = self._utf_8.decode("utf-8", "surrogatepass")
        # JSON may hold a character as two halves in two chunks, or one half alone, which is no text.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def add(self, data: str) -> None:
        """Take in the data of one event.

        `[DONE]` ends it, and so does anything broken after the finish reason, which never undoes a success.
        Before that, data that is no JSON object and an error object raise `BrokenStream`.
        """
        data = data.strip(WHITE_SPACE)
        if self.ended or not data:
            return
        if data == "[DONE]":
            self.ended = True
            return
        try:
            self._add_chunk(_parse_chunk(data))
        except BrokenStream:
            if self.finish_reason is None:
                raise
            self.ended = True

    def end(self) -> None:
        """Take note that the stream is over; raises `BrokenStream` when that is before a finish reason."""
        self.ended = True
        if self.finish_reason is None:
            raise BrokenStream("truncated", "the stream ended before a finish_reason")

    def _add_chunk(self, chunk: dict[str, object]) -> None:
        error = chunk.get("error")
        if error is not None:
            raise BrokenStream("endpoint", f"the endpoint reports in the stream: {_message(error)}")
        usage = chunk.get("usage")
        if isinstance(usage, dict) and _is_plain(usage, _USAGE_DEPTH):
            self.usage = usage
        choices = chunk.get("choices")
        if self.finish_reason is not None or not isinstance(choices, list) or not choices:
            return
        choice = choices[0]
        if not isinstance(choice, dict):
            return
        delta = choice.get("delta")
        content = delta.get("content") if isinstance(delta, dict) else None
        if isinstance(content, str) and content:
            self._utf_8 += content.encode("utf-8", "surrogatepass")
        finish_reason = choice.get("finish_reason")
        if isinstance(finish_reason, str) and finish_reason:
            self.finish_reason = finish_reason


def _refuse_constant(literal: str) -> float:
    raise ValueError(f"{literal} is no JSON number")


def _any_integer(literal: str) -> float:
    """Return an integer, or infinity for one of so many digits that CPython does not convert it."""
    try:
        return int(literal)
    except ValueError:
        return math.inf


_JSON = json.JSONDecoder(parse_constant=_refuse_constant)
# A function in Python for every integer would take its time, and such integers are rare.
_JSON_WITH_ANY_INTEGER = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=_any_integer)


def _parse_chunk(data: str) -> dict[str, object]:
    try:
        chunk = _JSON.decode(data)
    except (ValueError, RecursionError):
        chunk = _parse_any_integer(data)
    if not isinstance(chunk, dict):
        raise BrokenStream("malformed", f"the stream holds something that is no JSON object: {data}")
    return chunk


def _parse_any_integer(data: str) -> object:
    try:
        return _JSON_WITH_ANY_INTEGER.decode(data)
    except (ValueError, RecursionError):
        return None


def _is_plain(value: object, depth: int) -> bool:
    """Return whether a value can be written as JSON again: no infinity, and `depth` levels at most."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return depth > 0 and all(_is_plain(inner, depth - 1) for inner in value)
    return not isinstance(value, float) or math.isfinite(value)


def _message(error: object) -> str:
    """Return the message of an error object, whatever its shape."""
    message = error.get("message") if isinstance(error, dict) else error
    if isinstance(message, str):
        return message
    try:
        return json.dumps(error)
    except RecursionError:
        return "an error object of great depth"
