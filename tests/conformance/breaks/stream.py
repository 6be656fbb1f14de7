"""Breaks of how streams are read."""

from typing import Any

from breaks.declare import Break


def lf_alone() -> None:
    from agentloop.sse import EventStream

    feed = EventStream.feed
    EventStream.feed = lambda self, chunk: feed(self, chunk.replace(b"\r", b" "))  # type: ignore[method-assign]


def byte_order_mark_stays() -> None:
    from agentloop import sse

    sse._BYTE_ORDER_MARK = b"no mark"


def pieces_are_texts() -> None:
    from agentloop.sse import EventStream

    feed = EventStream.feed
    EventStream.feed = lambda self, chunk: feed(  # type: ignore[method-assign]
        self, chunk.decode("utf-8", "replace").encode()
    )


def lone_colons_are_lost() -> None:
    from agentloop.sse import EventStream

    feed = EventStream.feed

    EventStream.feed = lambda self, chunk: feed(  # type: ignore[method-assign]
        self, b"" if chunk == b":" else chunk
    )


def lines_are_bounded() -> None:
    from agentloop.sse import EventStream

    take = EventStream._take
    EventStream._take = (
        lambda self, line, completed: take(  # type: ignore[method-assign]
            self, line[:65536], completed
        )
    )


def events_are_bounded() -> None:
    from agentloop.completion import Completion

    add = Completion._add_chunk

    def counted(self: Completion, chunk: dict[str, object]) -> None:
        if len(self._utf_8) < 8192:
            add(self, chunk)

    Completion._add_chunk = counted  # type: ignore[method-assign]


def comments_are_data() -> None:
    from agentloop.sse import EventStream

    take = EventStream._take
    EventStream._take = lambda self, line, completed: take(  # type: ignore[method-assign]
        self, b"data" + line if line.startswith(b":") else line, completed
    )


def comments_end_events() -> None:
    from agentloop.sse import EventStream

    take = EventStream._take

    def ending(self: Any, line: bytes, completed: list[str]) -> None:
        if line.startswith(b":"):
            self._data.clear()
        take(self, line, completed)

    EventStream._take = ending  # type: ignore[method-assign]


def chunks_as(change: Any) -> None:
    """Change every chunk before it counts."""
    from agentloop.completion import Completion

    add = Completion._add_chunk

    def changed(self: Completion, chunk: dict[str, Any]) -> None:
        change(self, chunk)
        add(self, chunk)

    Completion._add_chunk = changed  # type: ignore[method-assign]


def choices_are_needed() -> None:
    from agentloop.completion import BrokenStream

    def first_choice(self: Any, chunk: dict[str, Any]) -> None:
        if not chunk.get("choices"):
            raise BrokenStream("malformed", "no choices")

    chunks_as(first_choice)


def content_is_needed() -> None:
    from agentloop.completion import BrokenStream

    def a_text(self: Any, chunk: dict[str, Any]) -> None:
        if any(choice["delta"].get("content", "") is None for choice in chunk["choices"]):
            raise BrokenStream("malformed", "no content")

    chunks_as(a_text)


def usage_counts_once() -> None:
    def first(self: Any, chunk: dict[str, Any]) -> None:
        if self.usage is not None:
            chunk.pop("usage", None)

    chunks_as(first)


def any_finish_reason_finishes() -> None:
    def finish(self: Any, chunk: dict[str, Any]) -> None:
        for choice in chunk.get("choices") or ():
            if choice.get("finish_reason") == "":
                choice["finish_reason"] = "stop"

    chunks_as(finish)


def only_stop_finishes() -> None:
    def stop(self: Any, chunk: dict[str, Any]) -> None:
        for choice in chunk.get("choices") or ():
            if choice.get("finish_reason") not in (None, "stop"):
                choice["finish_reason"] = None

    chunks_as(stop)


def reasoning_is_content() -> None:
    def join(self: Any, chunk: dict[str, Any]) -> None:
        for choice in chunk.get("choices") or ():
            delta = choice.get("delta", {})
            delta["content"] = (delta.get("reasoning") or "") + (delta.get("content") or "")

    chunks_as(join)


def all_choices_count() -> None:
    def join(self: Any, chunk: dict[str, Any]) -> None:
        for choice in (chunk.get("choices") or [])[1:]:
            chunk["choices"][0]["delta"]["content"] = choice["delta"]["content"]

    chunks_as(join)


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


def http_1_1_alone() -> None:
    from agentloop.connection import Connection

    complete = Connection.on_headers_complete

    def refuse(self: Any) -> None:
        if self._parser.get_http_version() != "1.1":
            self._lose("no HTTP/1.1")
        complete(self)

    Connection.on_headers_complete = refuse  # type: ignore[method-assign]


BREAKS = [
    Break("stream.framing", "LF alone ends a line", "stream.framing/CR", lf_alone),
    Break(
        "stream.framing", "a byte order mark stays", "stream.framing/byte order mark", byte_order_mark_stays
    ),
    Break(
        "stream.framing",
        "each piece is decoded",
        "stream.framing/a character over three chunks",
        pieces_are_texts,
    ),
    Break(
        "stream.framing",
        "a piece that is a colon is lost",
        "stream.framing/cut between name, colon, space, value and line ends",
        lone_colons_are_lost,
    ),
    Break("stream.framing", "64 KiB a line", "stream.framing/1 MiB in one event", lines_are_bounded),
    Break("stream.framing", "8 KiB a reply", "stream.framing/10,000 events", events_are_bounded),
    Break(
        "stream.comments", "comments are data", "stream.comments/before the first event", comments_are_data
    ),
    Break("stream.comments", "comments end events", "stream.comments/within events", comments_end_events),
    Break("stream.chunks", "choices are needed", "stream.chunks/empty choices first", choices_are_needed),
    Break("stream.chunks", "content is needed", "stream.chunks/null content", content_is_needed),
    Break("stream.chunks", "the first usage counts", "stream.chunks/usage in every chunk", usage_counts_once),
    Break(
        "stream.chunks",
        "an empty finish_reason finishes",
        "stream.chunks/empty finish_reason",
        any_finish_reason_finishes,
    ),
    Break("stream.chunks", "only stop finishes", "stream.chunks/finish_reason length", only_stop_finishes),
    Break("stream.chunks", "reasoning is content", "stream.chunks/reasoning", reasoning_is_content),
    Break("stream.chunks", "all choices count", "stream.chunks/unknown fields", all_choices_count),
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
        "stream.finish/usage 0.3 s after the finish_reason",
        waits_for_nothing,
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
    Break("stream.http", "HTTP/1.1 alone", "stream.http/HTTP/1.0", http_1_1_alone),
]
