"""What a model may do in a workspace, and nothing outside it.

Source: runtimes/CONTRACT.md, "Tools".
"""

import contextlib
import errno
import inspect
import os
import stat
from collections.abc import Awaitable, Callable, Iterator, Mapping
from itertools import count

from agentloop.process import Finished
from agentloop.verifier import Verifier

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK, opening a named pipe would wait for someone to write to it.
_EXISTING_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

READ_LIMIT = 1_000_000

_temporary_numbers = count(1)


class ToolRefused(Exception):
    """The tool does not do this; the message says why, in words for the model."""


class ToolDispatcher:
    """The tools of one workspace, whose paths lead nowhere else: not by `..`, not by symbolic links."""

    def __init__(self, folder: str, verifier: Verifier) -> None:
        """Work in `folder`; commands run under the rules of `verifier`, in its slots."""
        self._folder = folder
        self._verifier = verifier

    async def dispatch(self, name: str, arguments: Mapping[str, str]) -> str:
        """Use a tool as a model asks for it, and return what to tell the model; raises `ToolRefused`."""
        tools: dict[str, Callable[..., str | Awaitable[str]]] = {
            "write_file": self._wrote,
            "bash": self._ran,
            "read_file": self.read_file,
            "list_dir": lambda path=".": "\n".join(self.list_dir(path)),
            "search": lambda text, path=".": "\n".join(self.search(text, path)),
        }
        if name not in tools:
            raise ToolRefused(f"there is no tool {name!r}; there are {', '.join(tools)}")
        try:
            inspect.signature(tools[name]).bind(**arguments)
        except TypeError as mismatch:
            raise ToolRefused(f"{name}: {mismatch}") from None
        if not all(isinstance(value, str) for value in arguments.values()):
            raise ToolRefused(f"{name}: every argument must be a string")
        try:
            result = tools[name](**arguments)
            return result if isinstance(result, str) else await result
        except OSError as failure:
            raise ToolRefused(f"{name}: {failure.strerror}") from None

    def write_file(self, path: str, content: str) -> None:
        """Write a file whole or not at all, and the folders it needs; raises `ToolRefused` or `OSError`."""
        data = memoryview(content.encode("utf-8", "replace"))
        with self._parent_of(path, make_folders=True) as (parent, name):
            temporary = f".{name[:100]}.{os.getpid()}.{next(_temporary_numbers)}"
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
            text = file.read(READ_LIMIT + 1)
        if len(text) > READ_LIMIT:
            raise ToolRefused(f"{path}: has more than {READ_LIMIT} characters")
        return text

    def list_dir(self, path: str = ".") -> list[str]:
        """Return the names in a folder, a slash after folders; raises `ToolRefused` or `OSError`."""
        with self._folder_at(path) as folder, os.scandir(folder) as entries:
            return sorted(entry.name + "/" * entry.is_dir(follow_symlinks=False) for entry in entries)

    def search(self, text: str, path: str = ".") -> list[str]:
        """Return `path:number: line` for all lines below a folder that hold `text`; raises as `list_dir`."""
        found = []
        for name in self.list_dir(path):
            inner = os.path.normpath(os.path.join(path, name))
            if name.endswith("/"):
                found += self.search(text, inner)
                continue
            with contextlib.suppress(ToolRefused, OSError):
                for number, line in enumerate(self.read_file(inner).splitlines(), start=1):
                    if text in line:
                        found.append(f"{inner}:{number}: {line}")
        return found

    async def bash(self, command: str) -> Finished:
        """Run a command line in the workspace; raises `OSError` when that cannot be started."""
        return await self._verifier.run(["bash", "-c", command], self._folder)

    def _wrote(self, path: str, content: str) -> str:
        self.write_file(path, content)
        return f"wrote {path}"

    async def _ran(self, command: str) -> str:
        finished = await self.bash(command)
        if finished.timed_out:
            ending = "was stopped because it took too long"
        elif finished.signal is not None:
            ending = f"was ended by signal {finished.signal}"
        else:
            ending = f"exited with {finished.exit_code}"
        output = (finished.stdout + finished.stderr).decode("utf-8", "replace")
        return f"the command {ending}\n{output}"

    @contextlib.contextmanager
    def _parent_of(self, path: str, *, make_folders: bool = False) -> Iterator[tuple[int, str]]:
        """Give an open handle of the folder that holds `path`, and the last name of `path`."""
        *folders, name = _names(path)
        with self._opened(folders, path, make_folders) as parent:
            yield parent, name

    @contextlib.contextmanager
    def _folder_at(self, path: str) -> Iterator[int]:
        with self._opened([] if path in ("", ".") else _names(path), path, False) as folder:
            yield folder

    @contextlib.contextmanager
    def _opened(self, folders: list[str], path: str, make_folders: bool) -> Iterator[int]:
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
    """Return the names that make up a relative path."""
    names = [name for name in path.split("/") if name not in ("", ".")]
    if path.startswith("/") or ".." in names or "\0" in path or not names:
        raise ToolRefused(f"{path!r}: is not a path inside the workspace")
    return names


def _open(name: str, flags: int, folder: int, path: str) -> int:
    try:
        return os.open(name, flags, dir_fd=folder)
    except OSError as failure:
        if failure.errno in (errno.ELOOP, errno.ENOTDIR):
            raise ToolRefused(
                f"{path}: goes through a symbolic link or something that is no folder"
            ) from None
        raise
