"""A completion on its way to the client."""

from agentdyno.endpoint.completion import Frame, Reply, usage, whole_completion
from agentdyno.endpoint.exchange import Exchange

_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
    b"Transfer-Encoding: chunked\r\n%b\r\n"
)


class Stream:
    """One event a token, each at its own time.

    The head of the response and the role leave with the first token; finish_reason, usage and `[DONE]` with
    the last, since a deadline of their own would be a time that no model takes.
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
        """When the next token is due."""
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
    """The whole completion at once, when its last token is due."""

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
        """When the last token is due."""
        return self._due_ns

    def step(self) -> int | None:
        """Send everything."""
        if not self._exchange.over:
            self._exchange.respond(200, self._body, due_ns=self._due_ns, finish=self._finish)
        return None
