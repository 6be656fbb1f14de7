"""What a value of a setting must be.

A check returns None, or what is wrong: the end of a sentence that begins with the setting's name.
"""

import json
import math
import re
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from random import Random

from agentdyno.endpoint.profile import parse_profile
from agentdyno.endpoint.upstream import FROM_ENVIRONMENT, header_complaint, proxy_complaint
from agentdyno.errors import UserError
from agentdyno.rundata.cell import CONTROLS
from agentdyno.verifiers import VERIFIERS

Arrivals = Callable[[int, int], Sequence[int] | None]
"""The due times of so many tasks, with a seed: nanoseconds after the run's start, or None for all at once."""

AT_ONCE = "at-once"
_POISSON = re.compile(r"poisson:(?P<rate>[0-9]{1,9}(?:\.[0-9]{1,9})?)")


def parse_arrivals(text: str) -> Arrivals:
    """Read `at-once` or `poisson:RATE`; a UserError says what is allowed."""
    if text == AT_ONCE:
        return lambda count, seed: None
    found = _POISSON.fullmatch(text)
    if found is None or not float(found["rate"]):
        raise UserError(
            f"{text!r} is not known; give {AT_ONCE}, or poisson:RATE with a number of tasks a second above "
            "0, as in poisson:20"
        )
    return poisson(float(found["rate"]))


def poisson(rate: float) -> Arrivals:
    """`rate` tasks a second on average, each independent of all others: exponential gaps."""

    def due(count: int, seed: int) -> list[int]:
        draw = Random(seed)
        at, found = 0.0, []
        for _ in range(count):
            at += draw.expovariate(rate)
            found.append(round(at * 1e9))
        return found

    return due


Check = Callable[[object], str | None]

OURS = ("model", "messages", "stream")
"""The fields of a request that agentdyno sets."""


def whole(least: int) -> Check:
    """A whole number of at least `least`."""
    return _must_be(
        f"a whole number of at least {least}", lambda value: type(value) is int and value >= least
    )


def _is_number(value: object) -> bool:
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # a whole number that no float can hold
        return False


def _is_share(value: object) -> bool:
    return _is_number(value) and 0 < value <= 1  # type: ignore[operator]


def _is_above_0(value: object) -> bool:
    return _is_number(value) and value > 0  # type: ignore[operator]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value) and _is_utf8(value)


def _must_be(what: str, holds: Callable[[object], bool]) -> Check:
    return lambda value: None if holds(value) else f" must be {what}, not {value!r}"


def or_none(check: Check) -> Check:
    """None, or what `check` takes."""
    return lambda value: None if value is None else check(value)


def each(check: Check, *, or_none_at_all: bool = False) -> Check:
    """A tuple of values each of which `check` takes; of one at least, or where it may be empty of none."""

    def complaint(values: object) -> str | None:
        if not isinstance(values, tuple) or not (values or or_none_at_all):
            return f" must be a list of at least one value, not {values!r}"
        return next((wrong for value in values if (wrong := check(value)) is not None), None)

    return complaint


def distinct(check: Check) -> Check:
    """What `check` takes, a tuple, with no value twice."""

    def complaint(values: object) -> str | None:
        if (wrong := check(values)) is not None:
            return wrong
        assert isinstance(values, tuple)
        named = ", ".join(map(str, values))
        return f" must name nothing twice, not {named}" if len({*values}) < len(values) else None

    return complaint


def one_of(known: Mapping[str, str], more: str) -> Check:
    """A value of `known`, which maps the names that people give to values; `more` ends the advice."""

    def complaint(value: object) -> str | None:
        if isinstance(value, str) and value in known.values():
            return None
        return f": {value!r} is not known; choose of {', '.join(known)}, {more}"

    return complaint


def _readable(parse: Callable[[str], object]) -> Check:
    """A text that `parse` takes; the UserError of `parse` says what is wrong with another."""

    def complaint(value: object) -> str | None:
        if not isinstance(value, str):
            return f" must be a text, not {value!r}"
        try:
            parse(value)
        except UserError as error:
            return f": {str(error).removeprefix('profile: ')}"
        return None

    return complaint


def profile_without_reading_files(text: str) -> None:
    """Refuse a profile that is not known; one in a file is read when the experiment is prepared."""
    if not text.endswith(".toml"):
        parse_profile(text)


def request(value: object) -> str | None:
    """Fields that JSON can hold and that agentdyno does not set itself."""
    if not isinstance(value, Mapping) or {*OURS} & {*value}:
        return f" must be a JSON object without {', '.join(OURS[:-1])} and {OURS[-1]}, which agentdyno sets"
    try:
        # Python reads NaN and halves of characters, which no runtime could send.
        json.dumps(dict(value), allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, TypeError, RecursionError) as error:
        return f" is not JSON: {error}"
    return None


def url(value: object) -> str | None:
    """The base URL of an OpenAI-compatible server."""
    try:
        parts = urllib.parse.urlsplit(value) if isinstance(value, str) else None
        if parts is not None and "@" in parts.netloc:
            return " holds a user name or a password; set LLM_API_KEY to the key, and leave them out"
        is_http = (
            parts is not None and parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        )
        if is_http and isinstance(value, str) and _is_utf8(value):
            return None
    except ValueError:
        pass
    return f" is {value!r}; it must begin with http:// or https:// and end with its /v1"


def proxy(value: object) -> str | None:
    """The URL of an HTTP proxy without a password, or the variable that holds one."""
    if not isinstance(value, str):
        return f" must be a text, not {value!r}"
    if value.startswith(FROM_ENVIRONMENT):
        return None if value != FROM_ENVIRONMENT else ": name a variable, as in env:VAR"
    return proxy_complaint(value, may_have_password=False)


def headers(value: object) -> str | None:
    """Headers by name; secrets are in variables."""
    if not isinstance(value, Mapping) or not all(isinstance(text, str) for text in [*value, *value.values()]):
        return " must be an object of texts"
    if len({name.lower() for name in value}) < len(value):
        return " must name nothing twice"
    return next((wrong for pair in value.items() if (wrong := header_complaint(*pair)) is not None), None)


def text(value: object) -> str | None:
    """A text that is not empty, in UTF-8: Python reads bytes that are not as halves of characters."""
    if not isinstance(value, str) or not value:
        return f" must be a text that is not empty, not {value!r}"
    return None if _is_utf8(value) else f" must be a text in UTF-8, not {value!r}"


def _is_utf8(text: str) -> bool:
    try:
        return bool(text.encode())
    except UnicodeEncodeError:
        return False


TEXT = text
FLAG = _must_be("true or false", lambda value: isinstance(value, bool))
SECONDS = _must_be("a number of seconds above 0", _is_above_0)

CHECKS: Mapping[str, Check] = {
    "runtimes": or_none(each(_must_be("names or paths of runtimes, with commas between them", _is_text))),
    "agents": distinct(each(whole(1))),
    "tasks": TEXT,
    "limit": whole(1),
    "repeats": whole(1),
    "until_ci": or_none(_must_be("a share above 0 and at most 1", _is_share)),
    "max_repeats": whole(3),
    "redo": whole(0),
    "controls": distinct(each(one_of(CONTROLS, "or none"), or_none_at_all=True)),
    "baseline": or_none(TEXT),
    "arrivals": _readable(parse_arrivals),
    "cgroup": FLAG,
    "trace": FLAG,
    "profile": _readable(profile_without_reading_files),
    "verifiers": distinct(each(one_of({name: name for name in VERIFIERS}, "several with commas"))),
    "verify_slots": whole(1),
    "verify_timeout_s": SECONDS,
    "max_retries": whole(0),
    "request": request,
    "seed": whole(0),
    "stall_s": SECONDS,
    "connect_timeout_s": SECONDS,
    "idle_timeout_s": SECONDS,
    "total_timeout_s": SECONDS,
    "proxy": or_none(proxy),
    "ca_bundle": or_none(TEXT),
    "headers": headers,
    "system_role": FLAG,
    "install": FLAG,
    "overhead_limit_s": or_none(SECONDS),
}
"""A check for each field of Settings but the real endpoint, whose parts are checked when it is made."""
