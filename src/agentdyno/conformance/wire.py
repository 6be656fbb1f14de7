"""The bytes on the wire: request bodies, HTTP/1.1, events and chunks; and ports that nobody serves."""

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from agentdyno.conformance.rules import NotPossible

CONNECTIONS = 64
"""More connections than any system lets wait where none may."""


@contextmanager
def closed_port() -> Iterator[tuple[socket.socket, str]]:
    """A port that refuses connections, until somebody listens on its socket, and its base URL."""
    with socket.socket() as port:
        port.bind(("127.0.0.1", 0))
        yield port, _base_url(port)


@contextmanager
def full_port() -> Iterator[str]:
    """The base URL of a port that does not answer those who connect, as too many wait already (listen(2));
    raises NotPossible where the system answers all the same.
    """
    with ExitStack() as stack:
        port = stack.enter_context(socket.socket())
        port.bind(("127.0.0.1", 0))
        port.listen(0)
        for _ in range(CONNECTIONS):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0.2)
            try:
                waiting.connect(port.getsockname())
            except TimeoutError:
                break
        else:
            raise NotPossible("this system lets every connection wait, whatever the backlog")
        yield _base_url(port)


def _base_url(port: socket.socket) -> str:
    host, number = port.getsockname()
    return f"http://{host}:{number}/v1"


def sent_bytes() -> int:
    """How many bytes at most the kernel keeps of what a program has sent, until they are read (tcp(7))."""
    return int(Path("/proc/sys/net/ipv4/tcp_wmem").read_text().split()[2])


EVENT_STREAM = "text/event-stream"
DONE = b"data: [DONE]\n\n"
LAST_CHUNK = b"0\r\n\r\n"
"""Ends a chunked body."""

REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 408: "Request Timeout"}


def head(status: int = 200, content_type: str = EVENT_STREAM, **fields: str | int) -> bytes:
    """A response head; fields are named in Python's way (`retry_after=1`).

    Without `content_length` or `connection="close"` among them the body is chunked.
    """
    named: dict[str, str | int] = {"content_type": content_type, **fields}
    if "content_length" not in named and str(named.get("connection")) != "close":
        named["transfer_encoding"] = "chunked"
    lines = [f"{name.replace('_', '-').title()}: {value}" for name, value in named.items()]
    first = f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}"
    return ("\r\n".join([first, *lines]) + "\r\n\r\n").encode("latin-1")


def chunked(piece: bytes) -> bytes:
    """One chunk of a chunked body (RFC 9112, section 7.1)."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def event(data: str | Mapping[str, object], line_end: str = "\n") -> bytes:
    """One server-sent event with the data given, JSON if it is an object."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return f"data: {text}{line_end}{line_end}".encode()


def delta(finish_reason: str | None = None, /, **fields: object) -> dict[str, object]:
    """A completion chunk whose first choice's delta has these fields (`content="…"`)."""
    return {
        "id": "chatcmpl-conform",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "conform",
        "choices": [{"index": 0, "delta": fields, "finish_reason": finish_reason}],
    }


def completion(reply: str, pieces: int = 3, finish_reason: str = "stop") -> list[bytes]:
    """The events of an ordinary completion, `[DONE]` included: `reply` in some pieces, then the finish
    reason.
    """
    length = max(1, -(-len(reply) // pieces))
    return [
        event(delta(role="assistant", content="")),
        *(event(delta(content=reply[at : at + length])) for at in range(0, len(reply), length)),
        event(delta(finish_reason)),
        DONE,
    ]


def json_error(status: int, message: str = "no", **fields: str | int) -> bytes:
    """A whole response with a status that is no success and an OpenAI-like error object."""
    body = json.dumps({"error": {"message": message, "type": "server_error"}}).encode()
    return head(status, "application/json", content_length=len(body), **fields) + body


def fenced(code: str) -> str:
    """A reply that holds `code` in one Python block."""
    return f"Here it is.\n\n```python\n{code}```\n"
