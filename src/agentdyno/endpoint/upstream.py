"""A real endpoint, and how it is reached."""

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

from agentdyno.endpoint.api import ApiError, canonical, parse_json, text_of
from agentdyno.errors import UserError

CONNECT_S = 10.0
FROM_ENVIRONMENT = "env:"
"""Begins a value that is in an environment variable, so that no file and no command line holds it."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\x20-\x7e]*")
_MAY_BE_SECRET = re.compile(r"auth|cookie|credential|key|passw|secret|session|signature|token", re.IGNORECASE)
_LOOKS_SECRET = re.compile(r"\s*(bearer|basic|sk-)", re.IGNORECASE)
_SET_BY_THE_RELAY = frozenset(
    (
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)


@dataclass(frozen=True, slots=True)
class Upstream:
    """A real endpoint with its base URL (with its `/v1`), and how it is reached.

    `proxy` is the URL of a proxy, or `env:VAR`. `ca_bundle` is a PEM file with the authorities that are
    trusted instead of the system's. `headers` go with every request, instead of the client's of the same
    name; a value may be `env:VAR`. A connection has `connect_s` seconds. Without `system_role` the text of
    system messages goes into the first user message.
    """

    base_url: str
    proxy: str | None = None
    ca_bundle: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    connect_s: float = CONNECT_S
    system_role: bool = True

    @property
    def options(self) -> list[str]:
        """What `agentdyno serve` takes to relay to it."""
        options = ["--upstream", self.base_url, "--connect-timeout", f"{self.connect_s!r}"]
        options += [] if self.proxy is None else ["--proxy", self.proxy]
        options += [] if self.ca_bundle is None else ["--ca-bundle", self.ca_bundle]
        for name, value in self.headers.items():
            options += ["--header", f"{name}={value}"]
        return options + ([] if self.system_role else ["--no-system-role"])

    @property
    def secrets(self) -> list[str]:
        """What must not be shown of the headers: the values that come from the environment."""
        return [value for name, value in self.headers_to_add.items() if self.headers[name] != value]

    @property
    def parts(self) -> SplitResult:
        """The base URL's; a UserError where it is none, or has a user name or a password."""
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UserError(f"--upstream {self.base_url}: not a URL; give one like https://host/v1")
        if parts.username is not None:
            raise UserError("--upstream: a URL with a user name or a password; the client sends the key")
        return parts

    @property
    def proxy_url(self) -> str | None:
        """The proxy's URL, looked up in the environment if it is there."""
        if self.proxy is None:
            return None
        url = looked_up("--proxy", self.proxy)
        if (complaint := proxy_complaint(url, may_have_password=self.proxy != url)) is not None:
            shown = self.proxy if self.proxy != url else ""
            raise UserError(f"--proxy {shown}".rstrip() + complaint)
        return url

    @property
    def headers_to_add(self) -> dict[str, str]:
        """The headers, looked up in the environment if they are there."""
        found = {name: looked_up(f"--header {name}", value) for name, value in self.headers.items()}
        for name, value in found.items():
            if not _VALUE.fullmatch(value):
                raise UserError(
                    f"--header {name}: the value holds a character that no HTTP header can carry, such as a "
                    "line end: set it without"
                )
        return found

    @property
    def tls(self) -> ssl.SSLContext | bool:
        """What is trusted: True stands for the system's authorities."""
        if self.ca_bundle is None:
            return True
        try:
            return ssl.create_default_context(cafile=self.ca_bundle)
        except (OSError, ValueError) as error:  # of which an SSLError is one
            said = error.strerror if type(error) is not ssl.SSLError and isinstance(error, OSError) else None
            raise UserError(
                f"--ca-bundle {self.ca_bundle}: no certificates can be read ({said or 'not a PEM file'}); "
                "give a file of certificates in PEM form"
            ) from None

    def body(self, body: bytes) -> bytes:
        """The body of a request for a completion as it goes to the endpoint."""
        return body if self.system_role or not body else without_system_role(body)


def looked_up(option: str, value: str) -> str:
    """The value itself, or the variable's that `env:VAR` names; a UserError where it is not set."""
    if not value.startswith(FROM_ENVIRONMENT):
        return value
    variable = value.removeprefix(FROM_ENVIRONMENT)
    if not (found := os.environ.get(variable, "")):
        raise UserError(f"{option}: the environment variable {variable} is not set; export it")
    return found


def proxy_complaint(url: str, *, may_have_password: bool) -> str | None:
    """What is wrong with a proxy's URL, without the URL where it may hold a password."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return ": not the URL of a proxy; give one like http://host:3128"
    if "@" in parts.netloc and not may_have_password:
        return (
            " holds a user name or a password: put the URL into an environment variable, and give "
            "--proxy env:VAR"
        )
    return None if known else ": not the URL of an HTTP proxy; give one like http://host:3128"


def header_complaint(name: str, value: str) -> str | None:
    """What is wrong with a header that is to go with every request; the end of a sentence that begins with
    the option or setting.
    """
    if not _TOKEN.fullmatch(name):
        return f": {name!r} is no name of an HTTP header; give NAME=VALUE"
    if name.lower() in _SET_BY_THE_RELAY:
        return f" {name}: this header belongs to the connection or the body; leave it out"
    if value.startswith(FROM_ENVIRONMENT):
        return None if value != FROM_ENVIRONMENT else f" {name}: name a variable, as in {name}=env:VAR"
    if not _VALUE.fullmatch(value):
        return f" {name}: no HTTP header can carry the value; use printable ASCII"
    if _MAY_BE_SECRET.search(name) or _LOOKS_SECRET.match(value):
        return (
            f" {name}: the value may be a secret, and would be written down with the settings; put it into "
            f"an environment variable, and give {name}=env:VAR"
        )
    return None


def without_system_role(body: bytes) -> bytes:
    """The request with the text of its system messages before that of its first user message, with a blank
    line between; canonical JSON, as runtimes send it. What is no such request stays as it is.
    """
    try:
        document = parse_json(body)
    except ApiError:
        return body
    messages = document.get("messages") if isinstance(document, dict) else None
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        return body
    texts = [text_of(message) for message in messages if message.get("role") == "system"]
    others = [message for message in messages if message.get("role") != "system"]
    if not texts:
        return body
    first = next((message for message in others if message.get("role") == "user"), None)
    if first is None:
        first = {"role": "user", "content": ""}
        others.insert(0, first)
    folded: dict[str, Any] = {**first, "content": "\n\n".join(filter(None, [*texts, text_of(first)]))}
    others[others.index(first)] = folded
    return canonical({**document, "messages": others})
