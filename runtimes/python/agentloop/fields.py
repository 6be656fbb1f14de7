"""JSON objects from files, whose fields are asked for by type."""

import json
import os
import sys
from typing import Any, TypeVar

_JsonType = TypeVar("_JsonType", str, list[Any], dict[str, Any])


class InvalidInput(Exception):
    """The run file, or something it names, cannot be used; the message says what, where and what to do."""


class Fields:
    """The fields of one JSON object. A field that is missing or of another type raises `InvalidInput`."""

    def __init__(self, where: str, values: dict[str, object], prefix: str = "") -> None:
        """Name the object `where` in messages, and its fields with `prefix` before them."""
        self._where = where
        self._values = values
        self._prefix = prefix

    @classmethod
    def of_file(cls, path: str) -> "Fields":
        """Read the JSON object that a file holds."""
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except (OSError, UnicodeDecodeError) as failure:
            raise InvalidInput(
                f"{path}: cannot be read ({failure}); name a UTF-8 file that is there"
            ) from None
        return cls.of_text(path, text)

    @classmethod
    def of_text(cls, where: str, text: str) -> "Fields":
        """Parse the JSON object that `text` is."""
        try:
            value = json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as failure:
            raise InvalidInput(f"{where}: is not JSON ({failure}); write one JSON object there") from None
        if not isinstance(value, dict):
            raise InvalidInput(f"{where}: holds {_shown(value)}; write one JSON object there")
        return cls(where, value)

    def text(self, name: str) -> str:
        """Return a string, which may be empty."""
        text = self._typed(name, str, "a string")
        if not is_unicode(text):
            raise self.invalid(name, "a string without halves of surrogate pairs")
        return text

    def texts(self, name: str) -> list[str]:
        """Return the strings of a list that is not empty; they are fit for a command line."""
        values = self._typed(name, list, "a list of strings, at least one")
        if not values or not all(_is_argument(value) for value in values):
            raise self.invalid(name, "a list of strings, at least one")
        return values

    def environment(self, name: str) -> dict[str, str]:
        """Return the strings of an object; they are fit for a process's environment."""
        values = self._typed(name, dict, "an object of strings")
        if not all(_is_argument(k) and k and "=" not in k and _is_argument(v) for k, v in values.items()):
            raise self.invalid(name, "an object of strings")
        return values

    def object(self, name: str) -> dict[str, object]:
        """Return an object with any fields."""
        return self._typed(name, dict, "an object")

    def fields(self, name: str) -> "Fields":
        """Return an object whose fields are to be asked for in turn."""
        return Fields(self._where, self.object(name), f"{self._prefix}{name}.")

    def integer(self, name: str, *, at_least: int) -> int:
        """Return an integer."""
        value = self._values.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
            raise self.invalid(name, f"an integer of at least {at_least}")
        return value

    def nanoseconds(self, name: str) -> int:
        """Return an integer of at least 0 that fits into 63 bits; 0 when it is missing."""
        if name not in self._values:
            return 0
        value = self.integer(name, at_least=0)
        if value >= 2**63:
            raise self.invalid(name, "an integer of at least 0, below 2^63")
        return value

    def positive(self, name: str) -> float:
        """Return a number above 0."""
        return self._number(name, "a number above 0", zero_too=False)

    def not_negative(self, name: str) -> float:
        """Return a number of at least 0."""
        return self._number(name, "a number of at least 0", zero_too=True)

    def path(self, name: str) -> str:
        """Return a path, made absolute and free of symbolic links."""
        value = self.text(name)
        if not value or "\0" in value:
            raise self.invalid(name, "a path")
        return os.path.realpath(value)

    def writable_folder(self, name: str) -> str:
        """Return the path of a folder that is there and can be written to."""
        path = self.path(name)
        if not os.path.isdir(path) or not os.access(path, os.W_OK | os.X_OK):
            raise self.invalid(name, "an existing folder that can be written to")
        return path

    def invalid(self, name: str, wanted: str) -> InvalidInput:
        """Return the exception that says what a field is and what it must be."""
        found = f"is {_shown(self._values[name])}" if name in self._values else "is missing"
        return InvalidInput(f"{self._where}: {self._prefix}{name} {found}; it must be {wanted}")

    def invalid_unshown(self, name: str, wanted: str) -> InvalidInput:
        """Return the exception for a field that may hold a password, so that its value is not shown."""
        return InvalidInput(f"{self._where}: {self._prefix}{name} (not shown) must be {wanted}")

    def _number(self, name: str, wanted: str, *, zero_too: bool) -> float:
        value = self._values.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.invalid(name, wanted)
        # A literal like 1e999 becomes infinity, and an integer may be larger than any float.
        if not (0 < value <= sys.float_info.max or (value == 0 and zero_too)):
            raise self.invalid(name, wanted)
        return float(value)

    def _typed(self, name: str, kind: type[_JsonType], wanted: str) -> _JsonType:
        value = self._values.get(name)
        if not isinstance(value, kind):
            raise self.invalid(name, wanted)
        return value


def is_unicode(text: str) -> bool:
    """Return whether `text` can be UTF-8: JSON may hold halves of surrogate pairs, and UTF-8 may not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_argument(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value and is_unicode(value)


def _refuse_constant(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON number")


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:60] + "…"
