"""An OpenAI-compatible endpoint, and what all requests to it have in common."""

import json
import re

# What follows a text of the endpoint that was cut, perhaps within the key.
CUT = "…"

_REASON_LIMIT = 300
_BASE_URL = re.compile(r"(https?)://(\[[^]]+\]|[^:/]+)(?::([0-9]+))?(.*)")


class Endpoint:
    """Where requests go, and the head that each of them begins with."""

    __slots__ = ("_key_spellings", "host", "port", "request_head", "tls")

    def __init__(self, base_url: str, api_key: str = "") -> None:
        """Take a `base_url` that ends in `/v1`, or whatever precedes `/chat/completions`."""
        scheme, host, port, path = _split_base_url(base_url)
        authorization = f"Authorization: Bearer {api_key}\r\n" if api_key else ""
        self.request_head = (
            f"POST {path}/chat/completions HTTP/1.1\r\nHost: {host}{f':{port}' if port else ''}\r\n"
            f"Accept: text/event-stream\r\nContent-Type: application/json\r\n{authorization}Content-Length: "
        ).encode("ascii")
        self.host = host.strip("[]")
        self.port = int(port or {"http": 80, "https": 443}[scheme])
        self.tls = True if scheme == "https" else None
        # As it is, and as it is within JSON.
        self._key_spellings = {api_key, json.dumps(api_key)[1:-1]} if api_key else set()

    def presentable(self, reason: str) -> str:
        """Put what the endpoint said in one short line without the key: endpoints are known to quote it."""
        # Before anything is cut, so that no part of the key is left.
        for spelling in self._key_spellings:
            reason = reason.replace(spelling, "***")
            for length in range(len(spelling) - 1, 0, -1):
                reason = reason.replace(spelling[:length] + CUT, f"***{CUT}")
        return " ".join(reason.split())[:_REASON_LIMIT]


def _split_base_url(base_url: str) -> tuple[str, str, str, str]:
    parts = _BASE_URL.fullmatch(base_url.rstrip("/"))
    if parts is None:
        raise ValueError(
            f"base_url {base_url!r} is not http:// or https://, a host, a port or none, and a path"
        )
    return parts[1], parts[2], parts[3] or "", parts[4]
