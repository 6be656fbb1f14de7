"""An OpenAI-compatible endpoint, and what all requests to it have in common.

Source: runtimes/contract/vectors/base_url.json and reasons.json.
"""

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from agentloop.log import one_line

if TYPE_CHECKING:
    from ssl import SSLContext

# What follows a text of the endpoint that was cut, perhaps within the key.
CUT = "…"

_REASON_LIMIT = 300
_LARGEST_PORT = 65535
_LABEL = r"[0-9A-Za-z_-]{1,63}"
_BASE_URL = re.compile(
    rf"([Hh][Tt][Tt][Pp][Ss]?)://(\[[0-9A-Fa-f:.]+\]|{_LABEL}(?:\.{_LABEL})*\.?)(?::([0-9]{{1,5}}))?"
    r"(/[!-\"$->@-\[\]-~]*)?(\?[!-\"$-\[\]-~]*)?"
)


class Address(NamedTuple):
    """What a base URL says: where to connect, and the Host and the target of the requests."""

    tls: bool
    host: str
    port: int
    host_header: str
    target: str


def parse_base_url(base_url: str) -> Address | None:
    """Return what `base_url`, which precedes `/chat/completions` and a query, says; None without sense."""
    parts = _BASE_URL.fullmatch(base_url)
    if parts is None:
        return None
    scheme, host, written_port, path, query = parts.groups(default="")
    tls = scheme.lower() == "https"
    port = int(written_port) if written_port else 443 if tls else 80
    if not 1 <= port <= _LARGEST_PORT:
        return None
    host_header = f"{host}:{written_port}" if written_port else host
    return Address(tls, host.strip("[]"), port, host_header, f"{path.rstrip('/')}/chat/completions{query}")


class Endpoint:
    """Where requests go, and the head that each of them begins with."""

    __slots__ = ("_key_spellings", "host", "port", "request_head", "tls")

    def __init__(self, base_url: str, api_key: str = "") -> None:
        """Take a `base_url` that ends in `/v1`, or whatever precedes `/chat/completions`."""
        address = parse_base_url(base_url)
        if address is None:
            raise ValueError(
                "base_url (not shown) is not http:// or https://, a host, perhaps a port, a path, a query"
            )
        authorization = f"Authorization: Bearer {api_key}\r\n" if api_key else ""
        self.request_head = (
            f"POST {address.target} HTTP/1.1\r\nHost: {address.host_header}\r\n"
            f"Accept: text/event-stream\r\nContent-Type: application/json\r\n{authorization}Content-Length: "
        ).encode("ascii")
        self.host = address.host
        self.port = address.port
        self.tls = _tls_context() if address.tls else None
        self._key_spellings: tuple[str, ...] = ()
        if api_key:
            within_json = json.dumps(api_key)[1:-1]
            self._key_spellings = (api_key, within_json, within_json.replace("/", "\\/"))

    def presentable(self, reason: str) -> str:
        """Put what the endpoint said in one short line without the key: endpoints are known to quote it."""
        # Before anything is cut, so that no part of the key is left.
        for spelling in self._key_spellings:
            reason = reason.replace(spelling, "***")
        if CUT in reason:
            beginnings = {
                spelling[:length] for spelling in self._key_spellings for length in range(1, len(spelling))
            }
            for beginning in sorted(beginnings, key=len, reverse=True):
                reason = reason.replace(beginning + CUT, f"***{CUT}")
        return one_line(reason)[:_REASON_LIMIT]


def _tls_context() -> "SSLContext":
    """Return one context for all connections: each of its own would load the authorities once more."""
    from ssl import create_default_context

    return create_default_context()
