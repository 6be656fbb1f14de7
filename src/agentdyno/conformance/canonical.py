"""Canonical JSON as CONTRACT.md and the vectors define it."""

import json


def canonical(value: object) -> bytes:
    """The one spelling of a JSON value: sorted keys, no white space, UTF-8, whole numbers as integers."""
    return json.dumps(
        _whole(value), ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    ).encode()


def _whole(value: object) -> object:
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_whole(item) for item in value]
        case dict():
            return {name: _whole(item) for name, item in value.items()}
        case _:
            return value
