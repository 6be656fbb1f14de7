"""Reads a streamed chat completion by the rules of the runtime contract.

Sources: the WHATWG HTML standard, "Parsing an event stream"; "The chat completion chunk object" of OpenAI's
API reference; runtimes/contract/vectors/sse.json, which has the cases. The Python runtime has a reader of its
own, because the harness and the runtimes share no code.
"""

import json
from dataclasses import dataclass, field
from typing import Any

WHITE_SPACE = " \t\n\r\v\f"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventStream:
    """Turns the bytes of an event stream, cut anywhere, into the data of its events."""

    def __init__(self) -> None:
        self._unfinished_line = b""
        self._data: list[str] = []
        self._at_start = True
        self._after_cr = False

    def feed(self, piece: bytes) -> list[str]:
        """The data of every event that `piece` completes."""
        if not piece:
            return []
        if self._after_cr:
            piece = piece.removeprefix(b"\n")
        self._after_cr = piece.endswith(b"\r")
        completed: list[str] = []
        for line in (self._unfinished_line + piece).splitlines(keepends=True):
            if not line.endswith((b"\n", b"\r")):
                self._unfinished_line = line
                return completed
            self._take(line.rstrip(b"\r\n"), completed)
        self._unfinished_line = b""
        return completed

    def _take(self, line: bytes, completed: list[str]) -> None:
        if self._at_start:
            line = line.removeprefix(_BYTE_ORDER_MARK)
            self._at_start = False
        if not line:
            if self._data:
                completed.append("\n".join(self._data))
                self._data.clear()
            return
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" ").decode("utf-8", "replace"))


@dataclass(slots=True)
class Completion:
    """A chat completion that grows chunk by chunk.

    `error` is `malformed` (data that is no JSON object), `endpoint` (an error object, in `reported`) or
    `truncated` (the stream ended before a finish reason). Nothing after the finish reason undoes it.
    """

    pieces: list[str] = field(default_factory=list)
    finish_reason: str | None = None
    usage: dict[str, Any] | None = None
    error: str | None = None
    reported: dict[str, Any] | None = None
    ended: bool = False
    reasoned: bool = False
    _odd: set[str] = field(default_factory=set)

    @property
    def oddities(self) -> list[str]:
        """What servers do and no runtime can use, by the names that the journal has for it."""
        found = set(self._odd)
        if self.reasoned and not self.text.strip():
            found.add("only_reasoning")
        if self.finish_reason == "length":
            found.add("cut")
        return sorted(found)

    @property
    def text(self) -> str:
        """All content so far."""
        # JSON may hold a character as two halves in two chunks, or one half alone, which is no text.
        return "".join(self.pieces).encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def add(self, data: str) -> None:
        """Take in the data of one event."""
        data = data.strip(WHITE_SPACE)
        if self.ended or not data:
            return
        if data == "[DONE]":
            self.end()
            return
        chunk = json_object(data)
        if chunk is None or chunk.get("error") is not None:
            self.ended = True
            if self.finish_reason is None:
                self.error = "malformed" if chunk is None else "endpoint"
                self.reported = None if chunk is None else object_in(chunk, "error")
            return
        self.add_chunk(chunk)

    def end(self) -> None:
        """The stream is over."""
        if not self.ended and self.finish_reason is None:
            self.error = "truncated"
        self.ended = True

    def add_chunk(self, chunk: dict[str, Any]) -> None:
        """Take in a chunk that is no error."""
        usage = chunk.get("usage")
        if isinstance(usage, dict) and _is_json(usage):
            self.usage = usage
        choice = first_choice(chunk)
        delta = object_in(choice, "delta")
        content, finish_reason = delta.get("content"), choice.get("finish_reason")
        if self.finish_reason is not None:
            if isinstance(content, str) and content:
                self._odd.add("late_text")
            return
        if isinstance(content, str):
            self.pieces.append(content)
        elif isinstance(content, list) and content:
            self._odd.add("content_parts")
        self.reasoned = self.reasoned or any(delta.get(name) for name in ("reasoning", "reasoning_content"))
        if isinstance(finish_reason, str) and finish_reason:
            self.finish_reason = finish_reason
        elif isinstance(choice.get("finishReason"), str):
            self._odd.add("camel_case")


def json_object(text: str) -> dict[str, Any] | None:
    """The JSON object that the text is; None for anything else. Numbers beyond a double are infinite."""
    try:
        document = _JSON.decode(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _is_json(usage: dict[str, Any]) -> bool:
    """Whether the usage can be written as JSON again: its numbers are finite, and it is not nested deeply."""
    try:
        json.dumps(usage, allow_nan=False)
    except (ValueError, RecursionError):
        return False
    return True


def first_choice(document: dict[str, Any]) -> dict[str, Any]:
    """`choices[0]`, or an empty object where there is none."""
    choices = document.get("choices")
    return choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}


def object_in(document: dict[str, Any], name: str) -> dict[str, Any]:
    """The object in a field, or an empty one where there is none."""
    value = document.get(name)
    return value if isinstance(value, dict) else {}


LONGEST_INTEGER = 20
"""Digits: what has more is no count of tokens, and Python refuses to read more than 4,300."""


def _integer(literal: str) -> float:
    return int(literal) if len(literal) <= LONGEST_INTEGER else float(literal)


def _no_number(literal: str) -> float:
    raise ValueError(f"{literal} is no JSON")


_JSON = json.JSONDecoder(parse_int=_integer, parse_constant=_no_number)
