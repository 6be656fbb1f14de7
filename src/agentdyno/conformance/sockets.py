"""Ports of this machine that nobody serves."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from agentdyno.conformance.violation import NotPossible

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
