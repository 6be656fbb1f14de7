"""Breaks of what is tried again, and what each try is made of."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from breaks.declare import Break


def settings(**changed: Callable[[Any], Any]) -> None:
    """Change the fields of `timeouts` or `transport` that every Chat is given."""
    from agentloop.chat import Chat

    init = Chat.__init__

    def with_others(self: Any, *arguments: Any, **named: Any) -> None:
        for name, change in changed.items():
            named[name] = change(named[name])
        init(self, *arguments, **named)

    Chat.__init__ = with_others  # type: ignore[method-assign]


def tries(around: Callable[[Any, Any, bytes, Any, Any], Any]) -> None:
    """Put `around(ORIGINAL, CHAT, BODY, ATTEMPT, TOTAL)` in the place of every try."""
    from agentloop.chat import Chat

    original = Chat._try_once
    Chat._try_once = (  # type: ignore[method-assign]
        lambda self, body, attempt, total: around(original, self, body, attempt, total)
    )


def _again_after(*statuses: int) -> Callable[[], None]:
    def apply() -> None:
        from agentloop import answer

        answer.RETRYABLE_STATUSES = frozenset(statuses)

    return apply


def completion_whatever_the_status() -> None:
    from agentloop.answer import Answer

    head = Answer.head
    Answer.head = lambda self, status, headers: head(  # type: ignore[method-assign]
        self, 200 if headers.get(b"content-type") == b"text/event-stream" else status, headers
    )


def refusals_have_no_idle_limit() -> None:
    from agentloop.answer import Answer

    check = Answer._idle_check
    Answer._idle_check = (  # type: ignore[method-assign]
        lambda self: None if self._refusal is not None else check(self)
    )


def completion_is_kept() -> None:
    _kept_of_every_try("_completion")


def half_an_event_is_kept() -> None:
    _kept_of_every_try("_events")


def _kept_of_every_try(name: str) -> None:
    from agentloop.answer import Answer

    kept: dict[str, Any] = {}
    init = Answer.__init__

    def shared(self: Any, attempt: Any, event_idle_s: float) -> None:
        init(self, attempt, event_idle_s)
        setattr(self, name, kept.setdefault(f"{attempt.task}, {attempt.attempt}", getattr(self, name)))

    Answer.__init__ = shared  # type: ignore[method-assign]


def usage_is_kept() -> None:
    from agentloop.completion import Completion

    kept: list[Any] = []
    add = Completion.add

    def remembered(self: Any, data: str) -> None:
        add(self, data)
        if self.usage is not None:
            kept.append(self.usage)
        elif kept and self.ended:
            self.usage = kept[-1]

    Completion.add = remembered  # type: ignore[method-assign]


def tries_are_numbered() -> None:
    tries(
        lambda original, chat, body, attempt, total: original(
            chat, body + b" " * attempt.transport_retries, attempt, total
        )
    )


def one_try_more() -> None:
    settings(transport=lambda transport: replace(transport, max_retries=transport.max_retries + 1))


def none_is_three() -> None:
    settings(transport=lambda transport: replace(transport, max_retries=transport.max_retries or 3))


def resets_do_not_count() -> None:
    from agentloop.answer import TryFailed

    async def forgiven(original: Any, chat: Any, body: bytes, attempt: Any, total: Any) -> Any:
        try:
            return await original(chat, body, attempt, total)
        except TryFailed as failure:
            if "connection" in str(failure):
                attempt.transport_retries -= 1
            raise

    tries(forgiven)


def tries_of_the_task() -> None:
    from agentloop.events import Attempt

    following = Attempt.following

    def go_on(self: Any) -> Any:
        attempt = following(self)
        attempt.transport_retries = self.transport_retries
        return attempt

    Attempt.following = go_on  # type: ignore[method-assign]


ALL_5XX = range(500, 600)


BREAKS = [
    Break("transport.statuses", "not 408", "transport.statuses/each status", _again_after(429, *ALL_5XX)),
    Break(
        "transport.statuses",
        "known 5xx alone",
        "transport.statuses/each status",
        _again_after(408, 429, 500, 502, 503, 504),
    ),
    Break(
        "transport.statuses",
        "completion whatever the status",
        "transport.statuses/500 with a whole completion as its body",
        completion_whatever_the_status,
    ),
    Break(
        "transport.statuses",
        "no idle limit",
        "transport.statuses/503 with a body that does not end",
        refusals_have_no_idle_limit,
    ),
    Break("transport.final", "any status", "transport.final/each status", _again_after(*range(200, 600))),
    Break("transport.final", "409 too", "transport.final/each status", _again_after(409, 408, 429, *ALL_5XX)),
    Break("transport.fresh", "text kept", "transport.fresh/partial text is dropped", completion_is_kept),
    Break(
        "transport.fresh",
        "half an event kept",
        "transport.fresh/partial text is dropped",
        half_an_event_is_kept,
    ),
    Break("transport.fresh", "usage kept", "transport.fresh/partial text is dropped", usage_is_kept),
    Break(
        "transport.fresh",
        "another body",
        "transport.fresh/every try is the same request",
        tries_are_numbered,
    ),
    Break("transport.bound", "one more", "transport.bound/every kind of failure counts", one_try_more),
    Break(
        "transport.bound",
        "resets are free",
        "transport.bound/every kind of failure counts",
        resets_do_not_count,
    ),
    Break("transport.bound", "0 is the default", "transport.bound/no retries", none_is_three),
    Break(
        "transport.bound", "of the task", "transport.bound/every completion has its own", tries_of_the_task
    ),
]
