"""Holds a JSON value to a type, and makes a value of that type.

Types are `str`, `int`, `float`, `bool`, `Json`, `object`, literals, text enumerations, unions with None,
`list[…]`, `dict[str, …]`, `tuple[…]`, dataclasses, named tuples, TypedDicts, and any of these `Annotated`
with a `Must`. A dataclass or a named tuple takes its own fields and leaves others out; a TypedDict keeps the
others, held to `Json`: a later version may write more.
"""

import json
import math
import types
import typing
import urllib.parse
from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal, NotRequired, TypeVar, get_args, get_origin, get_type_hints

Json = Any
"""Whatever JSON can hold, within the limits below; `object` is that without the limits."""

MOST = 2**63 - 1
"""The largest whole number; the contract's integers have 63 bits."""

LARGEST = 1e60
"""The largest size of any other number: every figure fits, and its fourth power is still a float."""

DEEPEST = 64
"""So many lists and objects may lie within each other in `Json`."""

T = TypeVar("T")


class Unfit(Exception):
    """A value is not of its type: `reason` says why, and `place` is its path in the document."""

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = place

    def within(self, key: str | int) -> "Unfit":
        """The same, seen from the list or the object that holds the value at `key`."""
        is_plain = isinstance(key, str) and key.isascii() and key.isidentifier()
        name = key if is_plain else f"[{json.dumps(key)}]"
        self.place = f"{name}{'' if self.place[:1] in ('', '[') else '.'}{self.place}"
        return self

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}" if self.place else self.reason


@dataclass(frozen=True, slots=True)
class Must:
    """What a value must be besides its type."""

    be: str
    holds: Callable[[Any], bool]


Count = Annotated[int, Must("0 or more", lambda value: value >= 0)]
AtLeast1 = Annotated[int, Must("1 or more", lambda value: value >= 1)]
Positive = Annotated[float, Must("above 0", lambda value: value > 0)]
Amount = Annotated[float, Must("from 0 to 10^18", lambda value: 0 <= value <= 1e18)]
Url = Annotated[str, Must("a URL that begins with http:// or https://", lambda text: _is_url(text))]
Text = Annotated[str, Must("a text that is not empty", bool)]


def _is_url(text: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def shaped(value: object, kind: type[T]) -> T:
    """`value` as a `kind`; an Unfit says what does not fit, and where."""
    made: T = _decoder(typing.cast(Hashable, kind))(value)
    return made


_Decode = Callable[[Any], Any]


@cache
def _decoder(kind: Any) -> _Decode:
    """What makes a `kind` of a JSON value; made once, because event files have many lines."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in _PLAIN:
        return _PLAIN[kind]
    if origin is Annotated:
        return _checked(_decoder(arguments[0]), [each for each in arguments[1:] if isinstance(each, Must)])
    if origin is NotRequired:
        return _decoder(arguments[0])
    if origin in (types.UnionType, typing.Union):
        return _union([each for each in arguments if each is not types.NoneType])
    if origin is Literal:
        return _choice({(type(each), each): each for each in arguments})
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return _choice({(str, each.value): each for each in kind})
    if origin is list:
        return _list(_decoder(arguments[0]))
    if origin is tuple:
        return _tuple([_decoder(each) for each in arguments])
    if origin is dict:
        return _is_object if arguments[1] is object else _dict(_decoder(arguments[1]))
    if typing.is_typeddict(kind):
        return _object(kind, {name: name in kind.__required_keys__ for name in kind.__annotations__}, None)
    if is_dataclass(kind):
        required = {
            each.name: each.default is MISSING and each.default_factory is MISSING for each in fields(kind)
        }
        return _object(kind, required, typing.cast(type, kind))
    if hasattr(kind, "_field_defaults"):
        return _object(kind, {name: name not in kind._field_defaults for name in kind._fields}, kind)
    raise TypeError(f"{kind} is no type of a JSON value")


def _text(value: Any) -> str:
    if type(value) is not str:
        raise _not("a text", value)
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Unfit("holds half a surrogate pair; write whole characters") from None
    return value


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise _not("a whole number", value)
    if not -MOST <= value <= MOST:
        raise _not("a whole number of 63 bits", value)
    return value


def _number(value: Any) -> float:
    if type(value) is not float and type(value) is not int:
        raise _not("a number", value)
    if not -LARGEST <= value <= LARGEST:  # which NaN is neither
        raise _not("a finite number", value)
    return value


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise _not("true or false", value)
    return value


def _any(value: Any, depth: int = 0) -> Any:
    """`value`, if it can be written, compared and shown: no halves of characters, no endless numbers."""
    match value:
        case str():
            return _text(value)
        case bool() | None:
            return value
        case int() | float():
            return _number(value)
        case list() | dict() if depth >= DEEPEST:
            raise Unfit(f"holds more than {DEEPEST} lists and objects within each other")
        case list():
            for place, each in enumerate(value):
                _at(place, lambda inner: _any(inner, depth + 1), each)
        case dict():
            for name, each in value.items():
                _at(_text(name), lambda inner: _any(inner, depth + 1), each)
        case _:  # as TOML has dates
            raise _not("a value of JSON", str(value))
    return value


_PLAIN: Mapping[Any, _Decode] = {
    str: _text,
    int: _whole,
    float: _number,
    bool: _flag,
    Any: _any,
    object: _any,
}


def _at(key: str | int, decode: _Decode, value: Any) -> Any:
    try:
        return decode(value)
    except Unfit as wrong:
        raise wrong.within(key) from None


def _checked(decode: _Decode, musts: list[Must]) -> _Decode:
    def checked(value: Any) -> Any:
        made = decode(value)
        for must in musts:
            if not must.holds(made):
                raise _not(must.be, value)
        return made

    return checked


def _union(kinds: list[Any]) -> _Decode:
    (kind,) = kinds  # unions are with None alone
    decode = _decoder(kind)
    return lambda value: None if value is None else decode(value)


def _choice(choices: Mapping[tuple[type, Any], Any]) -> _Decode:
    named = f"{'one of ' if len(choices) > 1 else ''}{', '.join(_shown(value) for _, value in choices)}"

    def choice(value: Any) -> Any:
        if isinstance(value, Hashable) and (type(value), value) in choices:
            return choices[type(value), value]
        raise _not(named, value)

    return choice


def _list(decode: _Decode) -> _Decode:
    def made(value: Any) -> Any:
        if type(value) is not list:
            raise _not("a list", value)
        # Journals have millions of these.
        if decode is _whole and set(map(type, value)) == {int} and min(value) >= -MOST and max(value) <= MOST:
            return value
        try:
            return [decode(each) for each in value]
        except Unfit:
            return [_at(place, decode, each) for place, each in enumerate(value)]

    return made


def _tuple(decoders: list[_Decode]) -> _Decode:
    def made(value: Any) -> Any:
        if type(value) is not list or len(value) != len(decoders):
            raise _not(f"a list of {len(decoders)}", value)
        return tuple(_at(place, decode, value[place]) for place, decode in enumerate(decoders))

    return made


def _is_object(value: Any) -> Any:
    if type(value) is not dict:
        raise _not("an object", value)
    return value


def _dict(decode: _Decode) -> _Decode:
    def made(value: Any) -> Any:
        return {_text(name): _at(name, decode, each) for name, each in _is_object(value).items()}

    return made


def _object(kind: Any, required: Mapping[str, bool], make: Callable[..., Any] | None) -> _Decode:
    """What makes a dataclass; or without `make` leaves a dict as it is, once its fields are found good."""
    hints = get_type_hints(kind, include_extras=True)
    parts = [(name, is_required, _decoder(hints[name])) for name, is_required in required.items()]

    def made(value: Any) -> Any:
        _is_object(value)
        found = {}
        name = ""
        try:
            for name, is_required, decode in parts:
                if name in value:
                    found[name] = decode(value[name])
                elif is_required:
                    raise Unfit("is missing")
        except Unfit as wrong:
            raise wrong.within(name) from None
        if make is not None:
            return make(**found)
        for name in value.keys() - found.keys():
            _at(_text(name), _any, value[name])
        return value | found

    return made


def _not(what: str, value: Any) -> Unfit:
    return Unfit(f"must be {what}, and is {_shown(value)}")


def _shown(value: Any) -> str:
    """A value in a few characters."""
    match value:
        case dict():
            return f"an object with {len(value)} fields"
        case list():
            return f"a list of {len(value)}"
        case int() if not isinstance(value, bool) and abs(value) > MOST:
            return "a whole number of more than 63 bits"
        case float() if not math.isfinite(value):
            return "NaN" if value != value else "a number that is not finite"
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
