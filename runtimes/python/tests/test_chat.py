"""The chat client, over real sockets, against an endpoint that does everything wrong in turn."""

import asyncio
import contextlib
import hashlib
import json
import queue
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import trustme
import uvloop

from agentloop import Attempt, Chat, ChatFailed, Timeouts, TransportRetries
from agentloop.answer import Answer

BODY = b'{"model":"m"}'
IDLE_S = 0.4
ONE_TRY = TransportRetries(max_retries=0)
LOOPS = [pytest.param(asyncio.new_event_loop, id="asyncio"), pytest.param(uvloop.new_event_loop, id="uvloop")]
QUICK = TransportRetries(max_retries=2, base_s=0.001, cap_s=0.002)
Serve = Any
Exchange = Any


def complete(url: str, body: bytes = BODY, **options: Any) -> tuple[str, Attempt]:
    """Make one completion; returns the reply and what was stamped."""

    async def run() -> tuple[str, Attempt]:
        chat = Chat(url, **{"transport": QUICK, **options})
        attempt = Attempt("T/1", 1, t_begin=0)
        try:
            return await chat.complete(body, attempt), attempt
        finally:
            chat.close()

    return asyncio.run(run())


def failure(url: str, body: bytes = BODY, **options: Any) -> str:
    with pytest.raises(ChatFailed) as caught:
        complete(url, body, **options)
    return str(caught.value)


def test_reply_and_stamps(serve: Serve) -> None:
    def answer(exchange: Exchange) -> None:
        exchange.begin()
        exchange.event("Hel")
        exchange.event("lo")
        exchange.event(None, "stop")
        exchange.chunk(b'data: {"choices":[],"usage":{"total_tokens":3}}\n\n')
        exchange.chunk(b"data: [DONE]\n\n")
        exchange.end()

    endpoint = serve(answer)
    reply, attempt = complete(endpoint.url + "/", api_key="secret")
    assert reply == "Hello"
    assert attempt.usage == {"total_tokens": 3}
    assert (attempt.transport_retries, attempt.transport_ns) == (0, 0)
    stamps = [attempt.t_request, attempt.t_first, attempt.t_last, time.monotonic_ns()]
    assert stamps == sorted(stamp for stamp in stamps if stamp is not None)
    assert attempt.request_sha256 == hashlib.sha256(BODY).hexdigest()
    assert attempt.completion_sha256 == hashlib.sha256(b"Hello").hexdigest()
    (exchange,) = endpoint.exchanges
    host = endpoint.url.split("/")[2]
    assert exchange.head.decode().split("\r\n")[:-1] == [
        "POST /v1/chat/completions HTTP/1.1",
        f"Host: {host}",
        "Accept: text/event-stream",
        "Content-Type: application/json",
        "Authorization: Bearer secret",
        f"Content-Length: {len(BODY)}",
    ]
    assert exchange.body == BODY


def test_without_a_key_there_is_no_header(serve: Serve) -> None:
    endpoint = serve(lambda exchange: exchange.reply("x"))
    complete(endpoint.url)
    assert b"authorization" not in endpoint.exchanges[0].head.lower()


def test_a_connection_is_used_again(serve: Serve) -> None:
    endpoint = serve(lambda exchange: exchange.reply(f"reply {exchange.number}"))

    async def run() -> list[str]:
        chat = Chat(endpoint.url, transport=TransportRetries(max_retries=0))
        replies = [await chat.complete(BODY, Attempt("T/1", 1, t_begin=0)) for _ in range(3)]
        chat.close()
        return replies

    assert asyncio.run(run()) == ["reply 0", "reply 1", "reply 2"]
    assert endpoint.connections == 1


def test_a_connection_that_is_freed_before_its_user_wakes_is_safe_to_share(serve: Serve) -> None:
    """Twenty users of one endpoint pass connections to each other, each getting its own answer."""
    endpoint = serve(lambda exchange: exchange.reply(exchange.body.decode()))

    async def use(chat: Chat, name: str) -> None:
        for number in range(10):
            body = f"{name}-{number}".encode()
            assert await chat.complete(body, Attempt(name, 1, t_begin=0)) == body.decode()

    async def run() -> None:
        chat = Chat(endpoint.url, transport=TransportRetries(max_retries=0))
        await asyncio.gather(*(use(chat, f"user {number}") for number in range(20)))
        chat.close()

    asyncio.run(run())
    assert len(endpoint.exchanges) == 200


@pytest.mark.parametrize("ending", ["closed", "answered again"])
def test_idle_connection_that_is_of_no_use_any_more_costs_no_try(serve: Serve, ending: str) -> None:
    """The event loop is given no chance to learn of it before the connection is wanted again."""
    ended = threading.Event()

    def answer(exchange: Exchange) -> None:
        exchange.reply("x")
        if ending == "closed":
            exchange.connection.shutdown(socket.SHUT_RDWR)
        else:
            exchange.send(b"HTTP/1.1 408 Too Late\r\nContent-Length: 0\r\n\r\n")
        ended.set()

    endpoint = serve(answer)

    async def run() -> None:
        with contextlib.closing(Chat(endpoint.url, transport=TransportRetries(max_retries=0))) as chat:
            for _ in range(3):
                assert await chat.complete(BODY, Attempt("T/1", 1, t_begin=0)) == "x"
                assert ended.wait(10)
                ended.clear()

    asyncio.run(run())
    assert endpoint.connections == 3


def test_second_answer_to_one_request_is_nobodys(serve: Serve) -> None:
    def answer(exchange: Exchange) -> None:
        event = b'data: {"choices":[{"delta":{"content":"%b"},"finish_reason":"stop"}]}\n\n'
        own, strange = event % exchange.body, event % b"of nobody"
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n"
        # The second body is still on its way when the connection might be used again.
        exchange.send(head % len(own) + own + head % len(strange))
        exchange.closing.wait(0.01)
        with contextlib.suppress(OSError):
            exchange.send(strange)

    endpoint = serve(answer)

    async def run() -> None:
        with contextlib.closing(Chat(endpoint.url, transport=TransportRetries(max_retries=0))) as chat:
            for body in (b"first", b"second"):
                assert await chat.complete(body, Attempt("T/1", 1, t_begin=0)) == body.decode()

    asyncio.run(run())


def test_more_than_a_hundred_at_once(serve: Serve) -> None:
    together: list[Exchange] = []

    def answer(exchange: Exchange) -> None:
        together.append(exchange)
        if len(together) == 150:
            for waiting in together:
                waiting.reply("x")

    endpoint = serve(answer)

    async def run() -> None:
        chat = Chat(endpoint.url)
        await asyncio.gather(*(chat.complete(BODY, Attempt("T", 1, t_begin=0)) for _ in range(150)))
        chat.close()

    asyncio.run(run())
    assert endpoint.connections == 150


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 529, 599])
def test_status_that_is_tried_again(serve: Serve, status: int) -> None:
    endpoint = serve(
        lambda exchange: exchange.refuse(status, body=b"busy") if exchange.number < 2 else exchange.reply("x")
    )
    reply, attempt = complete(endpoint.url)
    assert reply == "x"
    assert attempt.transport_retries == 2
    assert attempt.transport_ns > 0
    assert [exchange.body for exchange in endpoint.exchanges] == [BODY] * 3


@pytest.mark.parametrize("status", [201, 301, 400, 401, 403, 404, 422])
def test_status_that_is_final(serve: Serve, status: int) -> None:
    endpoint = serve(lambda exchange: exchange.refuse(status, body=b'{"error":\n "no"}'))
    assert failure(endpoint.url) == f'the endpoint answered {status}: {{"error": "no"}}'
    assert len(endpoint.exchanges) == 1


def test_tries_are_bounded(serve: Serve) -> None:
    endpoint = serve(lambda exchange: exchange.refuse(503))
    assert failure(endpoint.url) == "the endpoint answered 503"
    assert len(endpoint.exchanges) == 3


KEY = 'sk-"secret\\0123456789'


@pytest.mark.parametrize("before", ["", "x" * 60, "x" * 260])
def test_the_key_is_never_quoted(serve: Serve, before: str) -> None:
    """Nor is a part of it, where the reason is cut, nor its spelling within JSON."""

    def answer(exchange: Exchange) -> None:
        if exchange.number == 0:
            exchange.refuse(503, body=f"{before}{KEY}".encode())
            return
        exchange.begin()
        kinds = [{"error": {"code": before + KEY}}, {"error": {"message": before + KEY}}, [before + KEY]]
        exchange.chunk(f"data: {json.dumps(kinds[exchange.number - 1])}\n\n".encode())
        exchange.end()

    endpoint = serve(answer)
    for _ in range(4):
        told = failure(endpoint.url, api_key=KEY, transport=TransportRetries(max_retries=0))
        assert "sk-" not in told
        assert f"{before}***"[:240] in told


def test_the_key_is_not_quoted_in_part(serve: Serve) -> None:
    """Where what is read of an endless refusal ends within it."""
    body = f"{' ' * (2048 - len(KEY) // 2)}{KEY}".encode()
    endpoint = serve(lambda exchange: exchange.refuse(401, body=body))
    assert failure(endpoint.url, api_key=KEY) == "the endpoint answered 401: ***…"


def test_error_body_without_end(serve: Serve) -> None:
    def answer(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 400 No\r\nContent-Length: 100000\r\n\r\n" + b"x" * 5000)
        exchange.hang()

    assert failure(serve(answer).url) == ("the endpoint answered 400: " + "x" * 300)[:300]


def test_error_body_that_never_comes(serve: Serve) -> None:
    def answer(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 400 No\r\nContent-Length: 10\r\n\r\n")
        exchange.hang()

    assert failure(serve(answer).url, timeouts=Timeouts(event_idle_s=0.05)) == "the endpoint answered 400"


def broken(exchange: Exchange, way: str) -> None:
    if way == "reset":
        exchange.reset()
    elif way == "closed before the answer":
        exchange.connection.shutdown(socket.SHUT_RDWR)
    elif way == "no HTTP":
        exchange.send(b"SSH-2.0-OpenSSH_9.9\r\n")
    elif way == "other protocol":
        exchange.send(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
        )
    elif way == "no event stream":
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
    elif way == "compressed":
        exchange.begin("Content-Encoding: gzip")
    else:
        exchange.begin()
        exchange.event("lost")
        if way == "reset in the stream":
            exchange.reset()
        elif way == "closed in the stream":
            exchange.connection.shutdown(socket.SHUT_RDWR)
        elif way == "truncated":
            exchange.end()
        elif way == "malformed":
            exchange.chunk(b"data: {\n\n")
        elif way == "error":
            exchange.chunk(b'data: {"error":{"message":"over\\nloaded"}}\n\n')
        elif way == "broken chunk":
            exchange.send(b"zz\r\n")


WAYS = {
    "reset": "the connection broke ([Errno 104] Connection reset by peer)",
    "closed before the answer": "the endpoint closed the connection",
    "no HTTP": "the endpoint does not speak HTTP/1.1 (Expected HTTP/, RTSP/ or ICE/)",
    "other protocol": "the endpoint does not speak HTTP/1.1",
    "no event stream": "the endpoint sent no event stream but application/json",
    "compressed": "the endpoint sent a compressed stream (gzip)",
    "reset in the stream": "the connection broke ([Errno 104] Connection reset by peer)",
    "closed in the stream": "the endpoint closed the connection",
    "truncated": "the stream ended before a finish_reason",
    "malformed": "the stream holds something that is no JSON object: {",
    "error": "the endpoint reports in the stream: over loaded",
    "broken chunk": "the endpoint does not speak HTTP/1.1 (Invalid character in chunk size)",
}


@pytest.mark.parametrize("way", WAYS)
def test_broken_try_is_dropped_and_repeated(serve: Serve, way: str) -> None:
    endpoint = serve(
        lambda exchange: broken(exchange, way) if exchange.number == 0 else exchange.reply("whole")
    )
    reply, attempt = complete(endpoint.url)
    assert reply == "whole"
    assert attempt.transport_retries == 1
    assert endpoint.connections == (1 if way in ("truncated", "no event stream") else 2)


@pytest.mark.parametrize("way", WAYS)
def test_reason_of_a_broken_try_is_one_line(serve: Serve, way: str) -> None:
    endpoint = serve(lambda exchange: broken(exchange, way))
    assert failure(endpoint.url, transport=TransportRetries(max_retries=0)).startswith(WAYS[way])


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert failure(f"http://127.0.0.1:{port}/v1").startswith("no connection (")


def test_connection_that_is_never_accepted() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, socket.socket() as queued:
        queued.connect(listener.getsockname())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        assert failure(url, timeouts=Timeouts(connect_s=0.05)) == "no connection within 0.05 s"


def test_idle_stream_with_comments(serve: Serve) -> None:
    """Comments keep the connection alive, and the endpoint may have forgotten the completion all the same."""

    def answer(exchange: Exchange) -> None:
        exchange.begin()
        exchange.event("x")
        while not exchange.closing.wait(0.01):
            exchange.chunk(b": keep-alive\n\n")

    endpoint = serve(answer)
    assert failure(endpoint.url, timeouts=Timeouts(event_idle_s=0.1)) == "no event within 0.1 s"
    assert len(endpoint.exchanges) == 3


def test_events_reset_the_idle_time(serve: Serve) -> None:
    def answer(exchange: Exchange) -> None:
        exchange.begin()
        for _ in range(20):
            exchange.closing.wait(0.06)
            exchange.event("x")
        exchange.event(None, "stop")
        exchange.end()

    reply, attempt = complete(serve(answer).url, timeouts=Timeouts(event_idle_s=1))
    assert reply == "x" * 20
    assert attempt.transport_retries == 0


def test_total_time_bounds_all_tries(serve: Serve) -> None:
    endpoint = serve(lambda exchange: exchange.refuse(503, "Retry-After: 3600"))
    assert failure(endpoint.url, timeouts=Timeouts(total_s=0.1)) == "no completion within 0.1 s"
    assert len(endpoint.exchanges) == 1


def test_total_time_does_not_undo_a_success(serve: Serve) -> None:
    """The endpoint holds the stream open after the finish reason for longer than the total time."""

    def answer(exchange: Exchange) -> None:
        exchange.begin()
        exchange.event("x", "stop")
        exchange.hang()

    assert complete(serve(answer).url, timeouts=Timeouts(total_s=0.5))[0] == "x"


def test_retry_after_is_waited_for(serve: Serve) -> None:
    endpoint = serve(
        lambda exchange: (
            exchange.refuse(429, "Retry-After: 0.2") if exchange.number == 0 else exchange.reply("x")
        )
    )
    _, attempt = complete(endpoint.url)
    assert attempt.transport_ns >= 200_000_000


def unsent_bytes() -> int:
    """More than the kernel keeps of what was sent and not yet read."""
    limits = (Path("/proc/sys/net/ipv4", name).read_text().split()[2] for name in ("tcp_wmem", "tcp_rmem"))
    return sum(map(int, limits)) + 2**20


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("loop", LOOPS)
def test_request_that_is_read_slowly(serve: Serve, trusted: ssl.SSLContext, loop: Any, scheme: str) -> None:
    """The idle time counts from the end of the request, which comes later than the idle time is long."""

    def read_slowly(exchange: Exchange) -> None:
        exchange.closing.wait(IDLE_S * 1.5)

    body = b'"%b"' % (b"x" * unsent_bytes())
    endpoint = serve(
        lambda exchange: exchange.reply(str(len(exchange.body))),
        tls=trusted if scheme == "https" else None,
        before_body=read_slowly,
    )

    async def run() -> str:
        timeouts = Timeouts(event_idle_s=IDLE_S)
        with contextlib.closing(Chat(endpoint.url, timeouts=timeouts, transport=ONE_TRY)) as chat:
            return await chat.complete(body, Attempt("T/1", 1, t_begin=0))

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(run()) == str(len(body))


def test_idle_time_after_a_request_that_was_read_slowly(serve: Serve) -> None:
    endpoint = serve(
        lambda exchange: exchange.hang(), before_body=lambda exchange: exchange.closing.wait(IDLE_S * 1.5)
    )
    told = failure(
        endpoint.url, b"x" * unsent_bytes(), timeouts=Timeouts(event_idle_s=IDLE_S), transport=ONE_TRY
    )
    assert told == f"no event within {IDLE_S} s"


def test_connection_on_which_a_request_was_not_sent_in_full_is_not_used_again(serve: Serve) -> None:
    """The endpoint refuses a request before it has read its body."""
    body = b"x" * unsent_bytes()

    def refuse(exchange: Exchange) -> None:
        if not exchange.number:
            exchange.refuse(503)

    endpoint = serve(lambda exchange: exchange.reply("x"), before_body=refuse)
    reply, attempt = complete(endpoint.url, body)
    assert (reply, attempt.transport_retries) == ("x", 1)
    assert endpoint.connections == 2


@pytest.mark.parametrize("method", ["head", "body", "end", "_add"])
def test_error_of_our_own_is_no_fault_of_the_endpoint(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """It is raised as it is, and no try is repeated."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    endpoint = serve(lambda exchange: exchange.reply("x"))
    monkeypatch.setattr(Answer, method, fail)
    with pytest.raises(ZeroDivisionError):
        complete(endpoint.url)
    assert len(endpoint.exchanges) == 1


def test_two_event_loops_in_two_threads(serve: Serve) -> None:
    """Each gets its own answers, however their reading falls together."""
    length = 1000

    def answer(exchange: Exchange) -> None:
        exchange.reply(*exchange.body.decode() * length)

    endpoint = serve(answer)

    async def use(letter: str) -> None:
        with contextlib.closing(Chat(endpoint.url, transport=ONE_TRY)) as chat:
            for _ in range(20):
                assert await chat.complete(letter.encode(), Attempt("T", 1, t_begin=0)) == letter * length

    with ThreadPoolExecutor() as threads:
        for done in [threads.submit(asyncio.run, use(letter)) for letter in "abcd"]:
            done.result()


def test_interim_responses_and_trailers(serve: Serve) -> None:
    def answer(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
        exchange.begin("Trailer: X-Cost")
        exchange.event("x", "stop")
        exchange.send(b"0\r\nX-Cost: 1\r\n\r\n")

    reply, attempt = complete(serve(answer).url)
    assert reply == "x"
    assert attempt.transport_retries == 0


def test_body_with_a_length(serve: Serve) -> None:
    body = b'data: {"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: TEXT/event-stream;charset=utf-8\r\nContent-Length: %d\r\n\r\n"
    endpoint = serve(lambda exchange: exchange.send(head % len(body) + body))
    assert complete(endpoint.url)[0] == "x"


def test_body_until_the_connection_closes(serve: Serve) -> None:
    def answer(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        exchange.send(b'data: {"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n')
        exchange.connection.shutdown(socket.SHUT_RDWR)

    assert complete(serve(answer).url)[0] == "x"


@pytest.mark.parametrize("after", ["nothing", "comments", "reset", "malformed", "close"])
def test_what_follows_the_finish_reason_never_undoes_it(serve: Serve, after: str) -> None:
    def answer(exchange: Exchange) -> None:
        exchange.begin()
        exchange.event("x", "stop")
        if after == "comments":
            while not exchange.closing.wait(0.05):
                exchange.chunk(b": keep-alive\n\n")
        elif after == "reset":
            exchange.reset()
        elif after == "malformed":
            exchange.chunk(b"data: {\n\n")
        elif after == "close":
            exchange.connection.shutdown(socket.SHUT_RDWR)
        exchange.hang()

    reply, attempt = complete(serve(answer).url, timeouts=Timeouts(event_idle_s=30))
    assert reply == "x"
    assert attempt.transport_retries == 0


def test_done_is_enough_to_go_on(serve: Serve) -> None:
    """The body is never ended, and still nobody waits for it: the next completion has another connection."""

    def answer(exchange: Exchange) -> None:
        exchange.begin()
        exchange.event("x", "stop")
        exchange.chunk(b"data: [DONE]\n\n")
        exchange.hang()

    endpoint = serve(answer)

    async def run() -> None:
        chat = Chat(endpoint.url)
        for _ in range(2):
            assert await chat.complete(BODY, Attempt("T", 1, t_begin=0)) == "x"
        chat.close()

    asyncio.run(run())
    assert endpoint.connections == 2


def test_cancelled_in_the_stream_closes_the_connection(serve: Serve) -> None:
    def answer(exchange: Exchange) -> None:
        exchange.begin()
        exchange.event("x")
        # Only now: a client cancelled earlier would make one of the two sends fail.
        streaming.release()
        exchange.connection.settimeout(10)
        try:
            received.put(exchange.connection.recv(1))
        except ConnectionResetError:  # closed with a part of the stream not yet read
            received.put(b"")

    streaming = threading.Semaphore(0)
    received: queue.Queue[bytes] = queue.Queue()
    endpoint = serve(answer)

    async def run() -> None:
        chat = Chat(endpoint.url)
        completing = asyncio.ensure_future(chat.complete(BODY, Attempt("T", 1, t_begin=0)))
        await asyncio.to_thread(streaming.acquire)
        completing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await completing

    asyncio.run(run())
    assert received.get(timeout=10) == b""


def test_split_surrogate_pair_and_half_of_one(serve: Serve) -> None:
    def answer(exchange: Exchange) -> None:
        exchange.begin()
        for escape in (rb"\ud83d", rb"\ude00", rb"\ud83d", rb"x"):
            exchange.chunk(b'data: {"choices":[{"delta":{"content":"%b"}}]}\n\n' % escape)
        exchange.event(None, "stop")
        exchange.end()

    assert complete(serve(answer).url)[0] == "\U0001f600\ufffdx"


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def certified(authority: trustme.CA) -> ssl.SSLContext:
    """For an endpoint on localhost, whose authority nobody knows yet."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    return tls


@pytest.fixture
def trusted(
    authority: trustme.CA, certified: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ssl.SSLContext:
    """For an endpoint on localhost."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return certified


def test_https(serve: Serve, trusted: ssl.SSLContext) -> None:
    endpoint = serve(lambda exchange: exchange.reply("secure"), tls=trusted)
    assert complete(endpoint.url)[0] == "secure"


def test_https_with_a_certificate_of_an_unknown_authority(serve: Serve, certified: ssl.SSLContext) -> None:
    endpoint = serve(lambda exchange: exchange.reply("secure"), tls=certified)
    assert "certificate verify failed" in failure(endpoint.url)


def test_connections_of_an_endpoint_share_a_tls_context(
    serve: Serve, trusted: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of its own would take 0.7 MiB and 20 ms, for the authorities that it loads."""
    made: list[None] = []
    create = ssl.create_default_context
    monkeypatch.setattr(ssl, "create_default_context", lambda: made.append(None) or create())
    together = threading.Barrier(3)

    def answer(exchange: Exchange) -> None:
        together.wait(10)
        exchange.reply("x")

    endpoint = serve(answer, tls=trusted)

    async def run() -> None:
        with contextlib.closing(Chat(endpoint.url)) as chat:
            await asyncio.gather(*(chat.complete(BODY, Attempt("T", 1, t_begin=0)) for _ in range(3)))

    asyncio.run(run())
    assert endpoint.connections == 3
    assert len(made) == 1


def test_base_url_that_is_none() -> None:
    with pytest.raises(ValueError, match=r"base_url \(not shown\) is not http:// or https://"):
        Chat("localhost:8000")
