"""What a model may do in a workspace, and nothing outside it.

Source: runtimes/CONTRACT.md, "Tools".
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from agentloop.process import Finished
from agentloop.verifier import Verifier

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK, opening a named pipe would wait for someone to write to it.
_EXISTING_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

_temporary_numbers = count(1)


@dataclass(frozen=True, slots=True, order=True)
class SearchMatch:
    """A line, numbered from 1, that holds what was sought, in the file `path`, as the workspace sees it."""

    path: str
    line: int
    text: str


class ToolRefused(Exception):
    """The tool does not do this; the message says why, in words for the model."""


class ToolDispatcher:
    """The tools of one workspace, whose paths lead nowhere else: not by `..`, not by symbolic links."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def write_file(self, path: str, content: str) -> None:
        """Write a file whole or not at all, and the folders it needs; raises `ToolRefused` or `OSError`."""
        data = memoryview(content.encode("utf-8", "replace"))
        with self._parent_of(path, make_folders=True) as (parent, name):
            _refuse_link(name, parent, path)
            temporary = f".writing-{os.getpid()}-{next(_temporary_numbers)}"
            descriptor = os.open(temporary, _NEW_FILE, 0o644, dir_fd=parent)
            try:
                while data:
                    data = data[os.write(descriptor, data) :]
                os.replace(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
            except OSError:
                os.unlink(temporary, dir_fd=parent)
                raise
            finally:
                os.close(descriptor)

    def read_file(self, path: str) -> str:
        """Return the text of a file; raises `ToolRefused` or `OSError`."""
        with self._parent_of(path) as (parent, name):
            descriptor = _open(name, _EXISTING_FILE, parent, path)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise ToolRefused(f"{path}: is no file")
        with open(descriptor, encoding="utf-8", errors="replace", newline="") as file:
            return file.read()

    def list_dir(self, path: str = ".") -> list[str]:
        """Return the names in a folder, a slash after folders; raises `ToolRefused` or `OSError`."""
        return sorted(_printable(name) for name in self._entries(path))

    def search(self, text: str, path: str = ".") -> list[SearchMatch]:
        """Return all lines below a folder that hold `text`, by path and number; raises as `list_dir`."""
        matches = []
        waiting = self._entries(path, with_path=True)
        while waiting:
            name = waiting.pop()
            with contextlib.suppress(ToolRefused, OSError):  # No regular file, or gone meanwhile.
                if name.endswith("/"):
                    waiting += self._entries(name, with_path=True)
                    continue
                for number, line in enumerate(_lines(self.read_file(name)), start=1):
                    if text in line:
                        matches.append(SearchMatch(_printable(name), number, line))
        return sorted(matches)

    async def bash(self, command: str, verifier: Verifier) -> Finished:
        """Run a command by the rules and in the slots of `verifier`; raises `ToolRefused` or `OSError`."""
        if "\0" in command:
            raise ToolRefused("the command holds U+0000, which no command line may")
        return await verifier.run(["bash", "-c", command], self._folder)

    def _entries(self, path: str, *, with_path: bool = False) -> list[str]:
        names = _names(path)
        prefix = "".join(f"{name}/" for name in names) if with_path else ""
        with self._opened(names, path) as folder, os.scandir(folder) as entries:
            return [prefix + entry.name + "/" * entry.is_dir(follow_symlinks=False) for entry in entries]

    @contextlib.contextmanager
    def _parent_of(self, path: str, *, make_folders: bool = False) -> Iterator[tuple[int, str]]:
        """Give an open handle of the folder that holds `path`, and the last name of `path`."""
        *folders, name = _names(path) or [""]
        if not name:
            raise ToolRefused(f"{path!r}: is the workspace and no file in it")
        with self._opened(folders, path, make_folders=make_folders) as parent:
            yield parent, name

    @contextlib.contextmanager
    def _opened(self, folders: list[str], path: str, *, make_folders: bool = False) -> Iterator[int]:
        """Go down one folder at a time, so that one exchanged for a link meanwhile is not followed either."""
        here = os.open(self._folder, _FOLDER)
        try:
            for folder in folders:
                if make_folders:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(folder, dir_fd=here)
                below = _open(folder, _FOLDER, here, path)
                os.close(here)
                here = below
            yield here
        finally:
            os.close(here)


def _names(path: str) -> list[str]:
    """Return the names that make up a relative path, none for the workspace itself."""
    names = [name for name in path.split("/") if name not in ("", ".")]
    if path.startswith("/") or ".." in names or "\0" in path:
        raise ToolRefused(f"{path!r}: is not a path inside the workspace")
    return names


def _open(name: str, flags: int, folder: int, path: str) -> int:
    try:
        return os.open(name, flags, dir_fd=folder)
    except OSError as failure:
        if failure.errno in (errno.ELOOP, errno.ENOTDIR):
            raise _link(path) from None
        raise


def _refuse_link(name: str, folder: int, path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            raise _link(path)


def _link(path: str) -> ToolRefused:
    return ToolRefused(f"{path}: goes through a symbolic link or something that is no folder")


def _lines(text: str) -> list[str]:
    *lines, rest = text.replace("\r\n", "\n").split("\n")
    return [*lines, rest] if rest else lines


def _printable(name: str) -> str:
    """Return a file name, which may be of any bytes, as text."""
    return os.fsencode(name).decode("utf-8", "replace")
