"""Writing files that are whole or not there."""

import json
import os
from pathlib import Path

from agentdyno.errors import Refusal


def write_bytes(path: Path, content: bytes) -> None:
    """Put `content` at `path` in one step (rename(2)): whoever reads it sees the old file or the new one.

    A Refusal says why when that cannot be done.
    """
    if not path.parent.is_dir():
        raise Refusal(f"{path}: folder {path.parent} does not exist; create it or choose another path")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except OSError as error:
        raise Refusal(f"{path}: cannot be written ({error.strerror}); choose another path") from None
    finally:
        unfinished.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """`write_bytes` for text, in UTF-8."""
    write_bytes(path, text.encode())


def write_json(path: Path, document: object) -> None:
    """`write_text` for a JSON document that people may want to read."""
    write_text(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
