"""Breaks of how completions end, of errors, and of HTTP."""

from collections.abc import Callable
from typing import Any

from breaks.declare import Break
from breaks.stream_events import chunks_as


def done_is_needed() -> None:
    from agentloop.completion import BrokenStream, Completion

    def end(self: Completion) -> None:
        if not self.ended or self.finish_reason is None:
            raise BrokenStream("truncated", "no [DONE]")

    Completion.end = end  # type: ignore[method-assign]


def finish_reason_is_not_needed() -> None:
    from agentloop import answer

    end = answer.Answer.end

    def lenient(self: Any) -> None:
        if self._completion.finish_reason is None:
            self._completion.finish_reason = "stop"
            self._settle()
        end(self)

    answer.Answer.end = lenient  # type: ignore[method-assign]


def errors_undo_success() -> None:
    from agentloop.completion import BrokenStream, Completion

    add = Completion._add_chunk

    def strict(self: Completion, chunk: dict[str, Any]) -> None:
        if self.finish_reason is not None and "error" in chunk:
            self.finish_reason = None
            raise BrokenStream("endpoint", "too late")
        add(self, chunk)

    Completion._add_chunk = strict  # type: ignore[method-assign]


def lost_connections_undo_success() -> None:
    from agentloop import answer

    answer.Answer.lost = lambda self, reason: self._fail(answer.TryFailed(reason))  # type: ignore[method-assign]


def waits_longer() -> None:
    from agentloop import answer

    answer.STREAM_END_GRACE_S = 3.5


def waits_too_short() -> None:
    from agentloop import answer

    answer.STREAM_END_GRACE_S = 0.4


def waits_for_nothing() -> None:
    from agentloop import answer

    answer.STREAM_END_GRACE_S = 0.0


def waits_as_long_as_something_comes() -> None:
    from agentloop import answer

    add = answer.Answer._add

    def again(self: Any, data: str) -> None:
        add(self, data)
        if self._completion.finish_reason is not None and not self._over.done():
            self._timer.cancel()
            self._timer = self._loop.call_later(answer.STREAM_END_GRACE_S, self.end)

    answer.Answer._add = again  # type: ignore[method-assign]


def partial_text_stays() -> None:
    from agentloop import answer

    left: list[bytes] = []
    fail = answer.Answer._fail

    def keep(self: Any, failure: Exception) -> None:
        left.append(bytes(self._completion._utf_8))
        fail(self, failure)

    complete = answer.Answer.completion

    async def joined(self: Any) -> Any:
        completion = await complete(self)
        completion._utf_8[:0] = b"".join(left)
        return completion

    answer.Answer._fail, answer.Answer.completion = keep, joined  # type: ignore[method-assign]


def errors_are_passed_over() -> None:
    chunks_as(lambda self, chunk: chunk.pop("error", None))


def malformed_is_passed_over() -> None:
    from agentloop import completion

    parse = completion._parse_chunk

    def lenient(data: str) -> dict[str, object]:
        try:
            return parse(data)
        except completion.BrokenStream:
            return {}

    completion._parse_chunk = lenient


def headers_as(change: Any) -> None:
    """Change the headers of every response before they count."""
    from agentloop import answer

    head = answer.Answer.head
    answer.Answer.head = lambda self, status, headers: head(  # type: ignore[method-assign]
        self, status, change(headers)
    )


def any_type() -> None:
    headers_as(lambda headers: {**headers, b"content-type": b"text/event-stream"})


def any_encoding() -> None:
    headers_as(lambda headers: {**headers, b"content-encoding": b"identity"})


def type_to_the_letter() -> None:
    headers_as(lambda headers: {**headers, b"content-type": headers[b"content-type"].replace(b";", b"/")})


def type_in_lower_case_alone() -> None:
    headers_as(lambda headers: {**headers, b"content-type": headers[b"content-type"].replace(b"T", b"X")})


def encoding_is_none_at_all() -> None:
    def refuse(headers: dict[bytes, bytes]) -> dict[bytes, bytes]:
        return {**headers, b"content-type": b"none"} if b"content-encoding" in headers else headers

    headers_as(refuse)


def interim_responses_are_final() -> None:
    from agentloop.connection import Connection

    Connection._is_interim = lambda self: False  # type: ignore[method-assign]


def names_in_their_case() -> None:
    from agentloop.connection import Connection

    def on_header(self: Any, name: bytes, value: bytes) -> None:
        if name[:1].isupper():
            self._headers[name.lower()] = value

    Connection.on_header = on_header  # type: ignore[method-assign]


def _header_values(is_possible: Callable[[bytes], bool]) -> Callable[[], None]:
    """Take a response with another value for something that is not HTTP."""

    def apply() -> None:
        from agentloop.connection import Connection

        take = Connection.on_header

        def on_header(self: Any, name: bytes, value: bytes) -> None:
            if not is_possible(value):
                self._lose("no header of HTTP")
            take(self, name, value)

        Connection.on_header = on_header  # type: ignore[method-assign]

    return apply


def http_1_1_alone() -> None:
    from agentloop.connection import Connection

    complete = Connection.on_headers_complete

    def refuse(self: Any) -> None:
        if self._parser.get_http_version() != "1.1":
            self._lose("no HTTP/1.1")
        complete(self)

    Connection.on_headers_complete = refuse  # type: ignore[method-assign]


BREAKS = [
    Break("stream.finish", "[DONE] is needed", "stream.finish/no [DONE]", done_is_needed),
    Break(
        "stream.finish",
        "no finish_reason is needed",
        "stream.finish/end without a finish_reason",
        finish_reason_is_not_needed,
    ),
    Break(
        "stream.finish",
        "errors undo a success",
        "stream.finish/error after the finish_reason",
        errors_undo_success,
    ),
    Break(
        "stream.finish",
        "a lost connection undoes a success",
        "stream.finish/closed after the finish_reason",
        lost_connections_undo_success,
    ),
    Break("stream.finish", "3.5 s are waited", "stream.finish/silent after the finish_reason", waits_longer),
    Break(
        "stream.finish",
        "nothing is waited for",
        "stream.finish/usage 0.5 s after the finish_reason",
        waits_for_nothing,
    ),
    Break(
        "stream.finish",
        "0.4 s are waited",
        "stream.finish/usage 0.5 s after the finish_reason",
        waits_too_short,
    ),
    Break(
        "stream.finish",
        "each event is waited for anew",
        "stream.finish/endless after the finish_reason",
        waits_as_long_as_something_comes,
    ),
    Break("stream.errors", "partial text stays", "stream.errors/error object", partial_text_stays),
    Break(
        "stream.errors",
        "errors are passed over",
        "stream.errors/error object, and a finish_reason after it",
        errors_are_passed_over,
    ),
    Break(
        "stream.errors", "malformed is passed over", "stream.errors/malformed JSON", malformed_is_passed_over
    ),
    Break("stream.errors", "any type", "stream.errors/another type", any_type),
    Break("stream.errors", "any encoding", "stream.errors/said to be compressed", any_encoding),
    Break(
        "stream.http",
        "the type to the letter",
        "stream.http/Content-Type with a parameter",
        type_to_the_letter,
    ),
    Break(
        "stream.http",
        "the type in lower case alone",
        "stream.http/header names in capitals",
        type_in_lower_case_alone,
    ),
    Break(
        "stream.http", "names in their case", "stream.http/header names in lower case", names_in_their_case
    ),
    Break(
        "stream.http",
        "no encoding at all",
        "stream.http/identity as Content-Encoding",
        encoding_is_none_at_all,
    ),
    Break(
        "stream.http", "interim is final", "stream.http/103 Early Hints, twice", interim_responses_are_final
    ),
    Break(
        "stream.http",
        "8,192 bytes of a header",
        "stream.http/a header of 9,000 bytes",
        _header_values(lambda value: len(value) <= 8192),
    ),
    Break("stream.http", "ASCII alone", "stream.http/a header in UTF-8", _header_values(bytes.isascii)),
    Break("stream.http", "HTTP/1.1 alone", "stream.http/HTTP/1.0", http_1_1_alone),
]
