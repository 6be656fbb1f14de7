"""A folder that must stay as it was made: `seal` records what is in it, and `Seal.check` finds any change.

`python -m agentdyno.sealed FOLDER` seals a folder; `runner/setup.sh` does so with the verifier's environment.
"""

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from agentdyno.errors import UserError
from agentdyno.files import write_json
from agentdyno.reading import Missing, Unreadable, read_json

FILE = "sealed.json"
"""In the sealed folder: what each file holds, by its path in the folder."""

WRITABLE = 0o222


def seal(folder: Path) -> None:
    """Record what the folder holds, and take everybody's right to write from all that is in it.

    Root may write all the same, and the owner can give the right back: modes prevent accidents only.
    """
    write_json(folder / FILE, {path: _content(entry) for path, entry in _files(folder)})
    for where, _, names in os.walk(folder):
        for path in (where, *(os.path.join(where, name) for name in names)):
            if not os.path.islink(path):
                os.chmod(path, os.stat(path).st_mode & ~WRITABLE)


class Seal:
    """Holds a sealed folder to its record. The first check reads every file; later ones look at sizes, times
    and inodes, and read again what these say has changed. The kernel sets the time of a change (ctime), and a
    program cannot set it back without setting the clock.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, tuple[int, ...]] = {}

    def check(self) -> None:
        """A UserError names the first file that was changed, added or removed since the folder was sealed."""
        expected = self._read()
        for path, entry in _files(self._folder):
            content = expected.pop(path, None)
            if content is None:
                raise self._broken(path, "was added")
            its = entry.stat(follow_symlinks=False)
            now = (its.st_size, its.st_mtime_ns, its.st_ctime_ns, its.st_ino)
            if self._seen.get(path) != now:
                if _content(entry) != content:
                    raise self._broken(path, "was changed")
                self._seen[path] = now
        if expected:
            raise self._broken(min(expected), "was removed")

    def _read(self) -> dict[str, str]:
        try:
            return read_json(self._folder / FILE, dict[str, str], "")
        except Missing:
            raise self._broken(FILE, "is missing") from None
        except Unreadable:
            raise self._broken(FILE, "cannot be read") from None

    def _broken(self, path: str, what: str) -> UserError:
        return UserError(
            f"{self._folder / path} {what} since the set-up, perhaps by code under test: "
            f"`chmod -R u+w {self._folder}; rm -r {self._folder}`, then runner/setup.sh makes it anew",
            status=1,
        )


def _files(folder: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Every file and link in the folder but its record, by its path in the folder."""
    waiting, within = [str(folder)], len(str(folder)) + 1
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                path = entry.path[within:]
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif path != FILE:
                    yield path, entry


def _content(entry: os.DirEntry[str]) -> str:
    """What the file holds, as a SHA-256, or where the link leads to."""
    if entry.is_symlink():
        return f"-> {os.readlink(entry.path)}"
    if not entry.is_file():
        return "no file"  # such as a pipe, which cannot be read without waiting
    with open(entry.path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    seal(Path(sys.argv[1]))
