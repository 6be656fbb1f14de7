"""A folder of an attempt's own, gone when the attempt ends, whatever was done to it."""

import asyncio
import contextlib
import errno
import math
import os
import stat
import time
from collections.abc import Iterator
from itertools import count

_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_names = count(1)

# How long a process that nobody could kill may go on writing while its folder is being removed.
PATIENCE_S = 1.0

# How long a removal goes on before the event loop may do something else: the usual one takes less than 1 ms.
SLICE_S = 0.005


class Workspace:
    """A new folder below `parent`. As an asynchronous context it is left only when the folder is gone."""

    def __init__(self, parent: str) -> None:
        """Make the folder; raises `OSError`."""
        self.path = os.path.join(parent, f"attempt-{os.getpid()}-{next(_names)}")
        os.mkdir(self.path, 0o700)

    async def __aenter__(self) -> "Workspace":
        return self

    async def __aexit__(self, *_: object) -> None:
        await remove_tree(self.path)


async def remove_tree(path: str) -> None:
    """Remove a folder, or what is in its place, and all it holds: links, but never what they point to.

    Folders without permissions are given some. Depth costs neither stack nor open files, because folders
    further down are first moved to the top. What is written meanwhile is removed as well, for `PATIENCE_S`.
    A tree of many files does not hold up the event loop. Raises `OSError` when something defies all that.
    """
    steps = _removal(path)
    try:
        slice_end_s = time.monotonic() + SLICE_S
        for _ in steps:
            if time.monotonic() > slice_end_s:
                await asyncio.sleep(0)
                slice_end_s = time.monotonic() + SLICE_S
    finally:
        for _ in steps:  # A cancellation leaves nothing behind.
            pass


def _removal(path: str) -> Iterator[None]:
    """Remove a tree, one entry a step."""
    try:
        top = _open_folder(path, None)
    except FileNotFoundError:
        return
    except NotADirectoryError:
        os.unlink(path)
        return
    # Names that those below cannot have taken on purpose.
    prefix = os.urandom(8).hex()
    unused_names = (f"{prefix}-{number}" for number in count())
    deadline_s = math.inf
    try:
        while not _remove_if_empty(path, None):
            is_late = time.monotonic() > deadline_s
            for name in _names_in(top):
                if is_late and not name.startswith(prefix):
                    raise OSError(errno.ENOTEMPTY, "a process that got away goes on writing there", path)
                with contextlib.suppress(FileNotFoundError):
                    yield from _removal_of_entry(top, name, unused_names)
            deadline_s = min(deadline_s, time.monotonic() + PATIENCE_S)
    finally:
        os.close(top)


def _removal_of_entry(top: int, name: str, unused_names: Iterator[str]) -> Iterator[None]:
    """Remove an entry of the folder `top`; a folder's own folders are moved to `top` instead."""
    yield
    if not _is_folder(top, name):
        os.unlink(name, dir_fd=top)
        return
    folder = _open_folder(name, top)
    try:
        for inner in _names_in(folder):
            yield
            if _is_folder(folder, inner):
                os.close(_open_folder(inner, folder))
                os.rename(inner, next(unused_names), src_dir_fd=folder, dst_dir_fd=top)
            else:
                os.unlink(inner, dir_fd=folder)
    finally:
        os.close(folder)
    _remove_if_empty(name, top)


def _remove_if_empty(folder: str, parent: int | None) -> bool:
    """Return whether the folder is gone; one that holds something stays."""
    try:
        os.rmdir(folder, dir_fd=parent)
    except FileNotFoundError:
        return True
    except OSError as failure:
        if failure.errno != errno.ENOTEMPTY:
            raise
        return False
    return True


def _names_in(folder: int) -> Iterator[str]:
    """Yield the names in a folder as the kernel tells them: of very many, a list would take its time."""
    with os.scandir(folder) as entries:
        for entry in entries:
            yield entry.name


def _is_folder(parent: int, name: str) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)


def _open_folder(name: str, parent: int | None) -> int:
    """Open a folder for listing, with all permissions for the owner."""
    handle = os.open(name, _FOLDER, dir_fd=parent)
    try:
        # This kind of handle needs no permission, and by its name in /proc nothing else can be meant.
        own_name = f"/proc/self/fd/{handle}"
        os.chmod(own_name, 0o700)
        return os.open(own_name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    finally:
        os.close(handle)
