"""Writes files atomically: a file is either complete or absent."""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from agentdyno.errors import UserError


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` in one step (rename(2)): a reader sees either the old or the new file.

    Raises a UserError that says why when the file cannot be written.
    """
    if not path.parent.is_dir():
        raise UserError(f"{path}: folder {path.parent} does not exist; create it or choose another path")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}); choose another path") from None
    finally:
        unfinished.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """`write_bytes` for text, in UTF-8."""
    write_bytes(path, text.encode())


def write_json(path: Path, document: object) -> None:
    """`write_text` for a JSON document, indented for people."""
    write_text(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def sha256(texts: Iterable[str]) -> str:
    """The SHA-256 of the concatenated texts, in hexadecimal digits."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode())
    return digest.hexdigest()
