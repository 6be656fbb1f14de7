"""A client that only reads, for a calibration where floor cannot be built.

Run as `python -P -m agentdyno.calibration.reader URL MODEL STREAMS TOKENS CONNECTIONS_PER_SECOND`. It opens
its connections at a bounded rate, sends one request on each, and reads every response to its end. The
results are in the endpoint's journal.
"""

import asyncio
import json
import sys
from typing import Any
from urllib.parse import urlsplit

import uvloop

_END = b"data: [DONE]\n\n\r\n0\r\n\r\n"
_BATCH_S = 0.01


class _Reader(asyncio.Protocol):
    """One stream, from its request to its end."""

    def __init__(self, request: bytes, over: asyncio.Future[None]) -> None:
        self._request = request
        self._over = over
        self._tail = b""

    def connection_made(self, transport: Any) -> None:
        self._transport: asyncio.Transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._tail = (self._tail + data[-len(_END) :])[-len(_END) :]
        if self._tail == _END:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._over.set_result(None)


async def read(url: str, model: str, streams: int, tokens: int, connections_per_s: float) -> None:
    """Read `streams` streams of `tokens` tokens each."""
    loop = asyncio.get_running_loop()
    parts = urlsplit(url)
    body = {
        "model": model,
        "messages": [{"role": "user", "content": "Go on."}],
        "stream": True,
        "max_tokens": tokens,
    }
    content = json.dumps(body).encode()
    request = b"POST %b/chat/completions HTTP/1.1\r\nHost: %b\r\nContent-Length: %d\r\n\r\n%b" % (
        parts.path.encode(),
        parts.netloc.encode(),
        len(content),
        content,
    )
    ends: list[asyncio.Future[None]] = []
    begun = loop.time()
    while len(ends) < streams:
        wanted = min(streams, 1 + int((loop.time() - begun) * connections_per_s))
        for _ in range(wanted - len(ends)):
            ends.append(loop.create_future())
            await _open(parts.hostname or "", parts.port or 80, request, ends[-1])
        await asyncio.sleep(_BATCH_S)
    await asyncio.gather(*ends)


async def _open(host: str, port: int, request: bytes, over: asyncio.Future[None]) -> None:
    await asyncio.get_running_loop().create_connection(lambda: _Reader(request, over), host, port)


if __name__ == "__main__":
    _url, _model, _streams, _tokens, _pace = sys.argv[1:]
    uvloop.run(read(_url, _model, int(_streams), int(_tokens), float(_pace)))
