"""Files that are written whole or not at all."""

import os
from pathlib import Path

from agentdyno.errors import Refusal


def write_bytes(path: Path, content: bytes) -> None:
    """Put `content` at `path`, whole or not at all; raises Refusal if that cannot be done."""
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
