"""Writing files that are whole or not there."""

import json
import os
from pathlib import Path


def write_atomically(path: Path, text: str) -> None:
    """Replace `path` by `text` in one step (rename(2)): a reader, or a crash, sees the old file or the new
    one.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_json(path: Path, document: object) -> None:
    """`write_atomically` for a JSON document that people may want to read."""
    write_atomically(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
