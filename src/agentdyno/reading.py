"""Reads what is on disk. Whatever is wrong with it is one line: the file, the place, and what to do.

No other module reads a document, so damage to a document can be nothing but an Unreadable.
"""

import hashlib
import json
import math
import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import Any, TypeVar

from agentdyno.errors import UserError
from agentdyno.shape import Unfit, shaped

LARGEST_FILE = 1 << 28
LARGEST_TOML = 1 << 20
LONGEST_LINE = 1 << 26
"""Bytes. A file, or a line of one, that is longer is refused before it fills the memory."""

DIGITS = 40
"""A whole number of more digits fits in no type."""

GZIP = "is compressed with gzip"
FORMATS = {
    b"\x1f\x8b": GZIP,
    b"PAR1": "is a Parquet file",
    b"PK\x03\x04": "is a ZIP archive",
    b"(\xb5/\xfd": "is compressed with Zstandard",
    b"\xef\xbb\xbf": "begins with a byte order mark",
    b"\xff\xfe": "is UTF-16, not UTF-8",
    b"\xfe\xff": "is UTF-16, not UTF-8",
}
"""What the first bytes of a file say that it is, of the files that people take for text."""

T = TypeVar("T")


class Unreadable(UserError):
    """A file cannot be used: `where` is the file, perhaps with a line, and `remedy` says what to do."""

    def __init__(self, where: Path | str, reason: str, remedy: str) -> None:
        super().__init__(f"{_one_line(str(where))}: {reason}; {remedy}")
        self.reason = reason


def _one_line(name: str) -> str:
    return "".join(character if character.isprintable() else "\ufffd" for character in name)


class Missing(Unreadable):
    """There is no such file."""


def open_file(path: Path, remedy: str) -> BufferedReader:
    """The file at `path`, opened to be read; or Missing, or Unreadable."""
    try:
        return path.open("rb")
    except (FileNotFoundError, NotADirectoryError):
        raise Missing(path, "no such file", remedy) from None
    except OSError as error:
        raise Unreadable(path, f"cannot be read ({error.strerror})", remedy) from None
    except ValueError:  # a NUL in a name
        raise Unreadable(repr(str(path)), "is not the name of a file", remedy) from None


def exists(path: Path) -> bool:
    """Whether there is something at `path`; not where no file could be, as the name is too long."""
    try:
        return path.exists()
    except OSError:
        return False


def read_bytes(path: Path, remedy: str, most: int = LARGEST_FILE) -> bytes:
    """The whole file, of at most `most` bytes."""
    with open_file(path, remedy) as file:
        try:
            content = file.read(most + 1)
        except OSError as error:
            raise Unreadable(path, f"cannot be read ({error.strerror})", remedy) from None
    if len(content) > most:
        raise Unreadable(path, f"is larger than {most >> 20} MiB", remedy)
    return content


def read_text(path: Path, remedy: str, most: int = LARGEST_FILE) -> str:
    """The whole file, which must be UTF-8 without a byte order mark."""
    return decoded(read_bytes(path, remedy, most), path, remedy)


def decoded(content: bytes, where: Path | str, remedy: str) -> str:
    """Bytes in UTF-8 as text."""
    if (found := file_format(content)) is not None:
        raise Unreadable(where, found, remedy)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(where, f"byte {error.start} is not UTF-8", remedy) from None


def file_format(content: bytes) -> str | None:
    """What the first bytes say that a file is; None where they may begin a text in UTF-8."""
    return next((found for magic, found in FORMATS.items() if content.startswith(magic)), None)


def read_json(path: Path, kind: type[T], remedy: str) -> T:
    """The file's JSON document as a `kind`."""
    return json_as(read_text(path, remedy), partial(shaped, kind=kind), path, remedy)


def json_as(text: str, make: Callable[[Any], T], where: Path | str, remedy: str) -> T:
    """What `make` makes of a JSON text; an Unfit of `make` is one of the file."""
    try:
        return make(parse_json(text))
    except (ValueError, Unfit) as error:
        raise Unreadable(where, str(error), remedy) from None


def parse_json(text: str) -> Any:
    """The value of a JSON text. A ValueError says in one line what is wrong.

    NaN and numbers without an end come back as floats, so that the type of the place refuses them.
    """
    if not text.strip():
        raise ValueError("is empty")
    try:
        return _loads(text)
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if "\n" in text.rstrip() else ""
        raise ValueError(f"not JSON at {line}column {error.colno} ({error.msg})") from None
    except RecursionError:
        raise ValueError("not JSON that can be read (too many lists and objects within each other)") from None


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError:  # a whole number of thousands of digits, which Python does not read
        return json.loads(text, parse_int=lambda digits: int(digits) if len(digits) <= DIGITS else math.inf)


def read_toml(path: Path, kind: type[T], remedy: str) -> T:
    """The file's TOML document as a `kind`."""
    text = read_text(path, remedy, LARGEST_TOML)
    try:
        return shaped(tomllib.loads(text), kind)
    except Unfit as wrong:
        raise Unreadable(path, str(wrong), remedy) from None
    except RecursionError:
        raise Unreadable(
            path, "not TOML that can be read (too many lists within each other)", remedy
        ) from None
    except ValueError as error:  # also whole numbers of thousands of digits
        raise Unreadable(path, f"not TOML: {error}", remedy) from None


def lines(path: Path, remedy: str) -> Iterator[bytes]:
    """The lines of a file one by one, each with its line feed, which the last of a cut file lacks."""
    with open_file(path, remedy) as file:
        while True:
            try:
                line = file.readline(LONGEST_LINE + 1)
            except OSError as error:
                raise Unreadable(path, f"cannot be read ({error.strerror})", remedy) from None
            if not line:
                return
            if len(line) > LONGEST_LINE:
                raise Unreadable(path, f"has a line of more than {LONGEST_LINE >> 20} MiB", remedy)
            yield line


def json_lines(path: Path, make: Callable[[Any], T], remedy: str) -> Iterator[T]:
    """What `make` makes of each JSON line; a last line without its line feed, cut by a crash, is left out."""
    for number, line in enumerate(lines(path, remedy), start=1):
        if line.endswith(b"\n"):
            where = f"{path}:{number}"
            yield json_as(decoded(line[:-1], where, remedy), make, where, remedy)


def sha256_of_file(path: Path, remedy: str) -> str:
    """The SHA-256 of the file's content, in hexadecimal digits."""
    with open_file(path, remedy) as file:
        try:
            return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise Unreadable(path, f"cannot be read ({error.strerror})", remedy) from None
