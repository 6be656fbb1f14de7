"""A chat completion: its tokens, its bytes in the form of OpenAI's API, and how the endpoint sends it."""

import json
import re
from array import array
from dataclasses import dataclass

from agentdyno.endpoint.exchange import Exchange

CREATED = 1_735_689_600
"""The `created` of every completion; a constant, so that two runtimes get the same bytes."""

_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
    b"Transfer-Encoding: chunked\r\n%b\r\n"
)

_PIECE = re.compile(
    r"""
    \ ?[A-Za-z]{1,8}    # a word or its part, with the space before it
    | [0-9]{1,3}
    | \n+\ {0,8}        # line ends and the indentation after them
    | \ ?[!-/:-@\[-`{-~]{1,4}\n?\ {0,4}
    | [ ]{1,8}
    | .                 # everything else, one character each
    """,
    re.VERBOSE | re.DOTALL,
)


def tokenize(text: str) -> list[str]:
    """Cut `text` as a model's tokenizer would, into pieces of about four characters; joined they are `text`.

    The pieces break inside words, take a leading space with the word that follows, keep runs of indentation
    together, and cut text outside ASCII small. As with a real vocabulary, the same word is always cut in the
    same way.
    """
    return _PIECE.findall(text)


@dataclass(frozen=True, slots=True)
class Reply:
    """One completion, ready to be sent.

    `tokens` are escaped as in a JSON string, without quotes. `offsets_ns` holds the intended send time of
    each token, in nanoseconds after the request's arrival.
    """

    id: str
    tokens: list[bytes]
    offsets_ns: "array[int]"


@dataclass(frozen=True, slots=True)
class Frame:
    """The constant parts of one stream's events. Every event is an HTTP chunk of its own."""

    id: str
    model: str
    include_usage: bool

    def content_parts(self) -> tuple[bytes, bytes]:
        """The bytes before and after the token in a content event."""
        before, start, after = self._event([_choice({"content": ""})]).partition(b'"content":"')
        return before + start, after

    def role(self) -> bytes:
        """The first event, which holds the role."""
        return _chunk(self._event([_choice({"role": "assistant", "content": ""})]))

    def end(self, finish_reason: str, usage: dict[str, int]) -> bytes:
        """The bytes after the last token: finish_reason, usage if requested, `[DONE]`, and the last chunk."""
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
    """The token as it stands inside a JSON string."""
    return json.dumps(token, ensure_ascii=False)[1:-1].encode()


def content_of(tokens: list[bytes]) -> str:
    """The text of escaped tokens."""
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


class Stream:
    """Sends one event per token, each at its own due time.

    The head of the response and the role leave with the first token. finish_reason, usage and `[DONE]` leave
    with the last token, because a model takes no extra time for them.
    """

    __slots__ = (
        "_after",
        "_before",
        "_exchange",
        "_finish",
        "_frame",
        "_offsets",
        "_position",
        "_t_arrive",
        "_tokens",
    )

    def __init__(
        self, exchange: Exchange, reply: Reply, tokens: list[bytes], finish: str, frame: Frame
    ) -> None:
        self._exchange = exchange
        self._tokens = tokens
        self._offsets = reply.offsets_ns
        self._t_arrive = exchange.record.t_arrive
        self._finish = finish
        self._frame = frame
        self._before, self._after = frame.content_parts()
        self._position = 0

    def due_ns(self) -> int:
        """The due time of the next token."""
        return self._t_arrive + self._offsets[self._position]

    def step(self) -> int | None:
        """Send one token."""
        exchange = self._exchange
        if exchange.over:
            return None
        due_ns = self.due_ns()
        token = self._tokens[self._position]
        before, after = self._before, self._after
        data = b"%x\r\n%b%b%b\r\n" % (len(before) + len(token) + len(after), before, token, after)
        if self._position == 0:
            data = _STREAM_HEAD % exchange.closing_header() + self._frame.role() + data
        self._position += 1
        if self._position < len(self._tokens):
            exchange.write(data, due_ns)
            return self.due_ns()
        record = exchange.record
        counts = usage(record.prompt_tokens or 0, len(self._tokens))
        exchange.write(data + self._frame.end(self._finish, counts), due_ns)
        exchange.complete(self._finish)
        return None


class Whole:
    """Sends the whole completion at the due time of its last token."""

    __slots__ = ("_body", "_due_ns", "_exchange", "_finish")

    def __init__(
        self, exchange: Exchange, reply: Reply, tokens: list[bytes], finish: str, model: str
    ) -> None:
        record = exchange.record
        counts = usage(record.prompt_tokens or 0, len(tokens))
        self._exchange = exchange
        self._body = whole_completion(reply.id, tokens, model, finish, counts)
        self._finish = finish
        self._due_ns = record.t_arrive + reply.offsets_ns[len(tokens) - 1]

    def due_ns(self) -> int:
        """The due time of the last token."""
        return self._due_ns

    def step(self) -> int | None:
        """Send everything."""
        if not self._exchange.over:
            self._exchange.respond(200, self._body, due_ns=self._due_ns, finish=self._finish)
        return None
