"""A chat completion as bytes, in the form of OpenAI's API reference."""

import json
from array import array
from dataclasses import dataclass

CREATED = 1_735_689_600
"""The `created` of every completion. It is constant because two runtimes are to get the same bytes."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One completion, ready to be sent.

    `tokens` are escaped as in a JSON string, without quotes; `offsets_ns` says when each is due after the
    request's arrival.
    """

    id: str
    tokens: list[bytes]
    offsets_ns: "array[int]"


@dataclass(frozen=True, slots=True)
class Frame:
    """The constant parts of one stream's chunks. Every event is an HTTP chunk of its own."""

    id: str
    model: str
    include_usage: bool

    def content_parts(self) -> tuple[bytes, bytes]:
        """What stands before and after the token in a content event."""
        before, start, after = self._event([_choice({"content": ""})]).partition(b'"content":"')
        return before + start, after

    def role(self) -> bytes:
        """The first event, which says who speaks."""
        return _chunk(self._event([_choice({"role": "assistant", "content": ""})]))

    def end(self, finish_reason: str, usage: dict[str, int]) -> bytes:
        """All that follows the last token: finish_reason, usage when asked for, `[DONE]`, the last chunk."""
        finish = self._event([_choice({}, finish_reason)])
        total = _chunk(self._event([], usage)) if self.include_usage else b""
        return _chunk(finish) + total + _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"

    def _event(self, choices: list[object], usage: dict[str, int] | None = None) -> bytes:
        document: dict[str, object] = {
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": CREATED,
            "model": self.model,
            "choices": choices,
        }
        if self.include_usage:
            document["usage"] = usage
        return b"data: " + _json(document) + b"\n\n"


def escaped(token: str) -> bytes:
    """A token as it stands inside a JSON string."""
    return json.dumps(token, ensure_ascii=False)[1:-1].encode()


def content_of(tokens: list[bytes]) -> str:
    """The text that escaped tokens make up."""
    content: str = json.loads(b'"%b"' % b"".join(tokens))
    return content


def whole_completion(
    name: str, tokens: list[bytes], model: str, finish_reason: str, usage: dict[str, int]
) -> bytes:
    """A completion as one JSON document, for a request without `stream`."""
    message = {"role": "assistant", "content": content_of(tokens)}
    return _json(
        {
            "id": name,
            "object": "chat.completion",
            "created": CREATED,
            "model": model,
            "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
            "usage": usage,
        }
    )


def usage(prompt_tokens: int, completion_tokens: int) -> dict[str, int]:
    """The usage object."""
    total = prompt_tokens + completion_tokens
    return {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens, "total_tokens": total}


def _choice(delta: dict[str, str], finish_reason: str | None = None) -> dict[str, object]:
    return {"index": 0, "delta": delta, "finish_reason": finish_reason}


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
