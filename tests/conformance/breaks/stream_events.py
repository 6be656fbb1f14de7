"""Breaks of how events, comments and chunks are read."""

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
]
