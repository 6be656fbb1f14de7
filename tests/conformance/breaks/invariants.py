"""Breaks of the invariants."""

import json

from breaks.declare import Break

CONVERSATION = "messages.conversation/four attempts"


def spaces_in_the_body() -> None:
    from agentloop import messages

    messages.canonical_json = lambda value: json.dumps(value, sort_keys=True, ensure_ascii=False).encode()


BREAKS = [
    Break("request.canonical", "white space", CONVERSATION, spaces_in_the_body),
]
