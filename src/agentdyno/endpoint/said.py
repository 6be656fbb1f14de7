"""Words of others in one line that can be shown: of a server that refuses, of tests that fail."""

import json
import re
import urllib.parse
from collections.abc import Iterable, Sequence
from typing import Any

from agentdyno.endpoint.stream import json_object, object_in
from agentdyno.format import printable

MOST_SHOWN = 200
"""Characters of a server's own words."""

_ERROR_LINE = re.compile(r"^E +(\S.*)$", re.MULTILINE)
"""How pytest marks the lines that say what went wrong."""

_LAST_LINE = re.compile(r"^(?!```)(.*\S.*)\n\s*^```$", re.MULTILINE)
"""The last line in a fence."""

_HEADERS_WITH_A_KEY = frozenset((b"authorization", b"api-key", b"x-api-key"))


def said(body: bytes, secrets: Sequence[str]) -> str:
    """The message in the body of an error, in one line of at most MOST_SHOWN characters, without `secrets`.

    A body without a message is shown as it is; an empty one is empty.
    """
    text = body.decode(errors="replace")
    message = _message(json_object(text) or {})
    return one_line(message if message is not None else text, secrets)


def _message(document: dict[str, Any]) -> str | None:
    """`error.message` as OpenAI has it, or as Ollama, vLLM and FastAPI do."""
    candidates = (
        object_in(document, "error").get("message"),
        *map(document.get, ("error", "message", "detail")),
    )
    return next((text for text in candidates if isinstance(text, str) and text), None)


def one_line(text: str, secrets: Sequence[str] = ()) -> str:
    """A text of somebody else's in one line that can be printed, of at most MOST_SHOWN characters."""
    whole = masked(text, secrets).encode(errors="replace").decode()
    return printable(whole[:MOST_SHOWN])


def reason_in(feedback: str) -> str | None:
    """Why a solution failed by the message that tells the model: pytest's first error, or the last line."""
    found = _ERROR_LINE.search(feedback) or _LAST_LINE.search(feedback)
    return one_line(found[1]) if found else None


def keys_in(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    """The keys that a request's headers hold."""
    return [
        value.decode(errors="replace").split()[-1]
        for name, value in headers
        if name.lower() in _HEADERS_WITH_A_KEY and value.strip()
    ]


def masked(text: str, secrets: Sequence[str]) -> str:
    """The text in one line; secrets are masked first, in each form in which a server may repeat them."""
    forms = {form for one in secrets for form in (one, json.dumps(one)[1:-1], urllib.parse.quote(one))}
    forms |= {" ".join(form.split()) for form in forms}
    # Once as it came, and once more in one line: a server may have collapsed white space as well.
    for _ in range(2):
        for form in sorted(forms - {""}, key=len, reverse=True):
            text = text.replace(form, "…")
        text = " ".join(text.split())
    return text
