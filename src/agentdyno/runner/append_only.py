"""Whether a file that one program appends to was rewritten by another."""

import contextlib
import hashlib
import os
from pathlib import Path


class AppendOnly:
    """Reads a file as it grows, and holds its end to what was read.

    Code under test runs with the rights of the runtime and can write to the runtime's events. What it
    rewrites after a look is found; what it rewrites before, or appends, is not.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = hashlib.sha256()
        self._inode: int | None = None
        self.size = 0
        """Bytes read so far."""

    def look(self) -> int:
        """Read what was appended since the last look; returns the size so far."""
        with contextlib.suppress(FileNotFoundError), self._path.open("rb") as file:
            if self._inode is None:
                self._inode = os.fstat(file.fileno()).st_ino
            file.seek(self.size)
            while piece := file.read(1 << 20):
                self._read.update(piece)
                self.size += len(piece)
        return self.size

    def change(self) -> str | None:
        """What happened to the file besides growing since the first look; None if nothing did."""
        if self._inode is None:
            return None
        try:
            with self._path.open("rb") as file:
                if os.fstat(file.fileno()).st_ino != self._inode:
                    return f"{self._path.name} was replaced by another file"
                again, left = hashlib.sha256(), self.size
                while left and (piece := file.read(min(left, 1 << 20))):
                    again.update(piece)
                    left -= len(piece)
        except FileNotFoundError:
            return f"{self._path.name} was removed"
        if left:
            return f"{self._path.name} was cut by {left} bytes or more"
        if again.digest() != self._read.digest():
            return f"{self._path.name} was rewritten"
        return None
