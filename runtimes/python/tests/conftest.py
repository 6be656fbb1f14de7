"""An endpoint that answers exactly what a test tells it to, byte for byte."""

import contextlib
import json
import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import pytest

PASSING_REPLY = "```python\ndef f():\n    return 1\n```\n"


class Exchange:
    """One request as the endpoint sees it, and the connection to answer on."""

    def __init__(
        self, number: int, head: bytes, body: bytes, connection: socket.socket, closing: threading.Event
    ):
        self.number = number
        self.head = head
        self.body = body
        self.connection = connection
        self.closing = closing

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def begin(self, *headers: str) -> None:
        """Send the head of an event stream in chunks."""
        lines = ["HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked", *headers]
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode())

    def chunk(self, data: bytes) -> None:
        self.send(b"%x\r\n%b\r\n" % (len(data), data))

    def event(self, content: str | None = None, finish_reason: str | None = None, **more: object) -> None:
        delta = {} if content is None else {"content": content}
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        self.chunk(f"data: {json.dumps({'choices': [choice], **more})}\n\n".encode())

    def end(self) -> None:
        self.chunk(b"")

    def reply(self, *parts: str) -> None:
        """Answer with a whole completion, in one piece; each part has an event of its own."""
        whole = Exchange(self.number, self.head, self.body, self.connection, self.closing)
        pieces: list[bytes] = []
        whole.send = pieces.append  # type: ignore[method-assign]
        whole.begin()
        for part in parts:
            whole.event(part)
        whole.event(None, "stop")
        whole.chunk(b"data: [DONE]\n\n")
        whole.end()
        self.send(b"".join(pieces))

    def refuse(self, status: int, *headers: str, body: bytes = b"") -> None:
        lines = [f"HTTP/1.1 {status} No", f"Content-Length: {len(body)}", *headers]
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode() + body)

    def reset(self) -> None:
        """Break the connection so that the other side sees a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())

    def hang(self) -> None:
        """Say nothing more until the endpoint is closed."""
        self.closing.wait()


def read_head(incoming: BinaryIO) -> bytes:
    head = b""
    while (line := incoming.readline()) not in (b"", b"\r\n"):
        head += line
    return head


@dataclass
class Endpoint:
    url: str
    connections: int = 0
    exchanges: list[Exchange] = field(default_factory=list)
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def bodies(self) -> list[dict[str, object]]:
        return [json.loads(exchange.body) for exchange in self.exchanges]


Answer = Callable[[Exchange], None]
Serve = Callable[..., Endpoint]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start endpoints that call `answer` for each request, each connection in a thread of its own.

    `before_body` is called when the head of a request is there, and nothing after it was read.
    """
    closing = threading.Event()
    listeners: list[socket.socket] = []
    open_connections: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(
        answer: Answer, tls: ssl.SSLContext | None = None, before_body: Answer | None = None
    ) -> Endpoint:
        listener = socket.create_server(("127.0.0.1", 0), backlog=1000)
        listeners.append(listener)
        port = listener.getsockname()[1]
        endpoint = Endpoint(f"https://localhost:{port}/v1" if tls else f"http://127.0.0.1:{port}/v1")

        def converse(connection: socket.socket) -> None:
            with contextlib.suppress(OSError, ValueError):
                if tls:
                    connection = tls.wrap_socket(connection, server_side=True)
                    open_connections.append(connection)
                with connection, connection.makefile("rb") as incoming:
                    while head := read_head(incoming):
                        length = next(
                            int(line.split(b":")[1])
                            for line in head.split(b"\r\n")
                            if line.lower().startswith(b"content-length:")
                        )
                        exchange = Exchange(len(endpoint.exchanges), head, b"", connection, closing)
                        endpoint.exchanges.append(exchange)
                        if before_body is not None:
                            before_body(exchange)
                        exchange.body = incoming.read(length)
                        endpoint.arrived.release()
                        answer(exchange)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    endpoint.connections += 1
                    open_connections.append(connection)
                    threads.append(threading.Thread(target=converse, args=[connection]))
                    threads[-1].start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        threads.append(accepting)
        return endpoint

    yield start
    closing.set()
    for listener in listeners:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for connection in open_connections:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
