"""A client that does nothing but read: the other end of a calibration.

Run as `python -m agentdyno.measure.reader URL MODEL STREAMS TOKENS CONNECTIONS_PER_SECOND`; prints one JSON
object. It opens its connections at a bounded pace, sends one request on each and counts what comes back.
"""

import asyncio
import json
import sys
from time import process_time
from typing import Any
from urllib.parse import urlsplit

import uvloop

_END = b"data: [DONE]\n\n\r\n0\r\n\r\n"
_BATCH_S = 0.01


class _Reader(asyncio.Protocol):
    """One stream, from request to end."""

    def __init__(self, request: bytes, done: asyncio.Future[None]) -> None:
        self._request = request
        self._done = done
        self._tail = b""
        self.events = 0

    def connection_made(self, transport: Any) -> None:
        self._transport: asyncio.Transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self.events += data.count(b'"delta":{"content":')
        self._tail = (self._tail + data)[-len(_END) :]
        if self._tail == _END:
            if not self._done.done():
                self._done.set_result(None)
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(error or ConnectionError("closed before the end of the stream"))


async def read(url: str, model: str, streams: int, tokens: int, connections_per_s: float) -> dict[str, Any]:
    """Read `streams` streams of `tokens` tokens each.

    Returns how many ended well, how many tokens came and what CPU time, in seconds, it took.
    """
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
    readers: list[_Reader] = []
    ends: list[asyncio.Future[None]] = []
    begun = loop.time()
    while len(readers) < streams:
        wanted = min(streams, 1 + int((loop.time() - begun) * connections_per_s))
        for _ in range(wanted - len(readers)):
            done = loop.create_future()
            ends.append(done)
            readers.append(await _open(parts.hostname or "", parts.port or 80, request, done))
        await asyncio.sleep(_BATCH_S)
    outcomes = await asyncio.gather(*ends, return_exceptions=True)
    return {
        "completed": outcomes.count(None),
        "events": sum(reader.events for reader in readers),
        "cpu_s": process_time(),
    }


async def _open(host: str, port: int, request: bytes, done: asyncio.Future[None]) -> _Reader:
    reader = _Reader(request, done)
    await asyncio.get_running_loop().create_connection(lambda: reader, host, port)
    return reader


if __name__ == "__main__":
    _url, _model, _streams, _tokens, _pace = sys.argv[1:]
    print(json.dumps(uvloop.run(read(_url, _model, int(_streams), int(_tokens), float(_pace)))))
