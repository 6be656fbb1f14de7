"""The options that say how a real endpoint is reached and how long it may take."""

import argparse
from pathlib import Path
from typing import Any

from agentdyno.endpoint.upstream import header_complaint
from agentdyno.errors import UserError
from agentdyno.options import SECONDS, above_0

UPSTREAM = {
    "connect_timeout_s": "connect_s",
    "proxy": "proxy",
    "ca_bundle": "ca_bundle",
    "headers": "headers",
    "system_role": "system_role",
}
"""The settings that the relay needs, and the field of Upstream that each of them is."""

TIMEOUTS = ("idle_timeout_s", "total_timeout_s")
"""The settings that the relay does not need, because a client that gives up ends the request there too."""


def add_upstream_options(parser: argparse.ArgumentParser) -> None:
    """Declare what a relay needs; an option that is not given leaves no trace in the arguments."""
    _add_seconds(parser, "connect", "a connection to a real endpoint may take so long (default: 10 s)")
    parser.add_argument(
        "--proxy",
        default=argparse.SUPPRESS,
        metavar="URL",
        help="reach a real endpoint through this HTTP proxy; env:VAR takes the URL from a variable, which "
        "may hold a password (no proxy is taken from http_proxy and the like)",
    )
    parser.add_argument(
        "--ca-bundle",
        type=_absolute,
        default=argparse.SUPPRESS,
        metavar="FILE",
        help="trust the authorities in this PEM file instead of the system's",
    )
    parser.add_argument(
        "--header",
        dest="headers",
        action=_AddHeader,
        default=argparse.SUPPRESS,
        metavar="NAME=VALUE",
        help="send this header to a real endpoint with every request; NAME=env:VAR takes the value from a "
        "variable, which a secret must be; may be given several times",
    )
    parser.add_argument(
        "--no-system-role",
        dest="system_role",
        action="store_false",
        default=argparse.SUPPRESS,
        help="put the system message's text before the first user message's, for a real endpoint that knows "
        "no system role",
    )


def add_timeouts(parser: argparse.ArgumentParser) -> None:
    """Declare the times that runtimes and the probe give an endpoint."""
    _add_seconds(
        parser, "idle", "give a request up when no data came for so long; comments are none (default: 60 s)"
    )
    _add_seconds(
        parser, "total", "give a completion up after so long, with all its tries and waits (default: 900 s)"
    )


def upstream_given(arguments: argparse.Namespace) -> dict[str, Any]:
    """The fields of Upstream that were given."""
    return {field: vars(arguments)[name] for name, field in UPSTREAM.items() if name in arguments}


def _add_seconds(parser: argparse.ArgumentParser, what: str, text: str) -> None:
    option = f"--{what}-timeout"
    parser.add_argument(
        option,
        dest=f"{what}_timeout_s",
        type=above_0(option, SECONDS),
        default=argparse.SUPPRESS,
        metavar="S",
        help=text,
    )


def _absolute(text: str) -> str:
    if not text or "\0" in text:
        raise UserError(f"--ca-bundle must be the path of a file, not {text!r}")
    return str(Path(text).absolute())


class _AddHeader(argparse.Action):
    """Adds one header to those that were given before."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: Any = None
    ) -> None:
        name, equals, value = str(values).partition("=")
        given: dict[str, str] = getattr(namespace, self.dest, {})
        complaint = header_complaint(name, value) if equals else ": give it as NAME=VALUE"
        if complaint is None and name.lower() in map(str.lower, given):
            complaint = f" {name}: given twice; leave one out"
        if complaint is not None:
            raise UserError(f"--header{complaint}")
        setattr(namespace, self.dest, {**given, name: value})
