"""Breaks of what requests look like, and how many there are."""

import json
from collections.abc import Callable
from typing import Any

from breaks.declare import Break


def head_as(change: Callable[[bytes, str], bytes]) -> None:
    """Change the head of every request; the other argument is the key."""
    from agentloop.endpoint import Endpoint

    init = Endpoint.__init__

    def changed(self: Endpoint, base_url: str, api_key: str = "") -> None:
        init(self, base_url, api_key)
        self.request_head = change(self.request_head, api_key)

    Endpoint.__init__ = changed  # type: ignore[method-assign]


def path_of_its_own() -> None:
    head_as(lambda head, key: head.replace(b"/proxy", b""))


def query_before_the_path() -> None:
    """What comes out when the path is simply put behind the base URL."""

    def moved(head: bytes, key: str) -> bytes:
        target = head.split()[1]
        path, question, query = target.partition(b"?")
        naive = path.removesuffix(b"/chat/completions") + question + query + b"/chat/completions"
        return head.replace(target, naive if question else target, 1)

    head_as(moved)


def no_query() -> None:
    head_as(lambda head, key: head.replace(head.split()[1], head.split()[1].partition(b"?")[0], 1))


def address_for_a_name() -> None:
    head_as(lambda head, key: head.replace(b"Host: localhost", b"Host: 127.0.0.1"))


def no_type() -> None:
    head_as(lambda head, key: head.replace(b"Content-Type: application/json\r\n", b""))


def no_key() -> None:
    head_as(lambda head, key: head.replace(f"Authorization: Bearer {key}\r\n".encode(), b""))


def bearer_of_nothing() -> None:
    head_as(lambda head, key: head if key else head.replace(b"Accept", b"Authorization: Bearer \r\nAccept"))


def key_without_quotes() -> None:
    head_as(lambda head, key: head.replace(b'"', b""))


def key_in_another_header() -> None:
    head_as(lambda head, key: head.replace(b"Accept", f"Api-Key: {key}\r\nAccept".encode()))


def key_is_shown() -> None:
    from agentloop.endpoint import Endpoint

    Endpoint.presentable = lambda self, reason: " ".join(reason.split())[:300]  # type: ignore[method-assign]


def key_is_hidden_in_one_spelling() -> None:
    from agentloop.endpoint import Endpoint

    init = Endpoint.__init__

    def changed(self: Endpoint, base_url: str, api_key: str = "") -> None:
        init(self, base_url, api_key)
        self._key_spellings = {api_key}

    Endpoint.__init__ = changed  # type: ignore[method-assign]


def key_is_hidden_after_the_cut() -> None:
    from agentloop.endpoint import Endpoint

    presentable = Endpoint.presentable
    Endpoint.presentable = (
        lambda self, reason: presentable(  # type: ignore[method-assign]
            self, " ".join(reason.split())[:300]
        )
    )


def key_is_hidden_if_whole() -> None:
    from agentloop.endpoint import Endpoint

    def presentable(self: Any, reason: str) -> str:
        for spelling in self._key_spellings:
            reason = reason.replace(spelling, "***")
        return " ".join(reason.split())[:300]

    Endpoint.presentable = presentable  # type: ignore[method-assign]


def key_in_the_environment() -> None:
    import os

    from agentloop.verifier import Verifier

    child = Verifier._child

    def with_key(self: Any, argv: list[str], folder: str) -> Any:
        self._env = {**self._env, "LLM_API_KEY": os.environ.get("LLM_API_KEY", "")}
        return child(self, argv, folder)

    Verifier._child = with_key  # type: ignore[method-assign]


def key_in_the_workspace() -> None:
    import os
    from pathlib import Path

    from agentloop.workspace import Workspace

    init = Workspace.__init__

    def with_key(self: Any, parent: str) -> None:
        init(self, parent)
        Path(self.path, ".env").write_text(os.environ.get("LLM_API_KEY", ""))

    Workspace.__init__ = with_key  # type: ignore[method-assign]


def bodies_by(dumps: Callable[[object], str]) -> None:
    """Write bodies in another way."""
    from agentloop import messages

    messages.canonical_json = lambda value: dumps(value).encode("utf-8", "surrogatepass")


def numbers_as_they_are() -> None:
    bodies_by(lambda value: json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")))


def integers_as_doubles() -> None:
    from agentloop import messages

    whole = messages._whole
    messages._whole = lambda value: (
        int(float(value)) if type(value) is int and abs(value) > 2**53 else whole(value)
    )


def ascii_alone() -> None:
    from agentloop import messages

    bodies_by(lambda value: json.dumps(messages._whole(value), sort_keys=True, separators=(",", ":")))


def keys_in_their_order() -> None:
    from agentloop import messages

    bodies_by(lambda value: json.dumps(messages._whole(value), ensure_ascii=False, separators=(",", ":")))


def reply_stripped() -> None:
    from agentloop.messages import Conversation

    go_on = Conversation._go_on
    Conversation._go_on = lambda self, reply, answer: go_on(  # type: ignore[method-assign]
        self, reply.strip(), answer
    )


def thoughts_dropped() -> None:
    from agentloop.messages import Conversation

    go_on = Conversation._go_on
    Conversation._go_on = lambda self, reply, answer: go_on(  # type: ignore[method-assign]
        self, reply.rpartition("</think>")[2], answer
    )


def last_turn_alone() -> None:
    from agentloop.messages import Conversation

    go_on = Conversation._go_on

    def forgetful(self: Any, reply: str, answer: str) -> None:
        self._turns.clear()
        go_on(self, reply, answer)

    Conversation._go_on = forgetful  # type: ignore[method-assign]


def one_more() -> None:
    from agentloop.agent import Agent

    init = Agent.__init__

    def changed(self: Any, *, max_retries: int = 3, **others: Any) -> None:
        init(self, max_retries=max_retries + 1, **others)

    Agent.__init__ = changed  # type: ignore[method-assign]


def unproven_is_enough() -> None:
    from agentloop import agent

    judge = agent.judge
    agent.judge = lambda *ended: "passed" if (verdict := judge(*ended)) == "unproven" else verdict


BREAKS = [
    Break("request.head", "a path of its own", "request.head/a longer path", path_of_its_own),
    Break("request.head", "the query before the path", "request.head/a query", query_before_the_path),
    Break("request.head", "no query", "request.head/a query", no_query),
    Break("request.head", "an address for a name", "request.head/a host name", address_for_a_name),
    Break("request.head", "no type", "request.head/every request", no_type),
    Break("key.header", "no key", "key.header/every request", no_key),
    Break("key.header", "a key without its quotes", "key.header/an odd key", key_without_quotes),
    Break("key.header", "a bearer of nothing", "key.header/not set", bearer_of_nothing),
    Break("key.secret", "in another header", "key.header/every request", key_in_another_header),
    Break("key.secret", "quoted", "key.secret/an endpoint that quotes it", key_is_shown),
    Break(
        "key.secret",
        "quoted within JSON",
        "key.secret/an endpoint that quotes an odd key",
        key_is_hidden_in_one_spelling,
    ),
    Break(
        "key.secret",
        "quoted in part",
        "key.secret/an endpoint that quotes it at length",
        key_is_hidden_after_the_cut,
    ),
    Break(
        "key.secret",
        "quoted in part where the body is cut",
        "key.secret/an endpoint that quotes it at length",
        key_is_hidden_if_whole,
    ),
    Break(
        "key.secret",
        "in the verifier's environment",
        "key.secret/while an attempt is verified",
        key_in_the_environment,
    ),
    Break("key.secret", "in the workspace", "key.secret/while an attempt is verified", key_in_the_workspace),
    Break("request.canonical", "1.0", "request.canonical/numbers", numbers_as_they_are),
    Break("request.canonical", "large integers", "request.canonical/large numbers", integers_as_doubles),
    Break("request.canonical", "ASCII alone", "request.canonical/texts", ascii_alone),
    Break("request.canonical", "keys in their order", "request.canonical/keys", keys_in_their_order),
    Break(
        "messages.conversation",
        "replies are stripped",
        "messages.conversation/texts as they are",
        reply_stripped,
    ),
    Break(
        "messages.conversation", "no thoughts", "messages.conversation/texts as they are", thoughts_dropped
    ),
    Break(
        "messages.conversation", "the last turn alone", "messages.conversation/four attempts", last_turn_alone
    ),
    Break("attempts.bound", "one more", "attempts.bound/none again", one_more),
    Break(
        "attempts.bound",
        "unproven is enough",
        "attempts.bound/whatever made them fail",
        unproven_is_enough,
    ),
]
