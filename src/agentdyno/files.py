"""Writes files atomically and durably, and keeps other processes away from a folder."""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from agentdyno.errors import UserError


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` in one step (rename(2)): a reader sees either the old or the new file, also
    after a power cut, because the bytes are on the disk before the name is (fsync(2)).

    Raises a UserError that says why when the file cannot be written.
    """
    _write(path, [content])


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    if not path.name or "\0" in str(path):
        raise UserError(f"{str(path)!r} is not the name of a file; choose another path")
    if not path.parent.is_dir():
        raise UserError(f"{path}: folder {path.parent} does not exist; create it or choose another path")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}); {remedy(error)}") from None
    finally:
        unfinished.unlink(missing_ok=True)


FULL = (errno.ENOSPC, errno.EDQUOT)


def remedy(error: OSError) -> str:
    """What to do about an error of the operating system."""
    if error.errno in FULL:
        return "free space there, or choose another path"
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return "raise the limit on open files (`ulimit -n`)"
    return "choose another path"


def _sync_folder(folder: Path) -> None:
    """Have the names in the folder on the disk, where the file system can do that for a folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock on the file at `path`, which is made if it is not there (flock(2)).

    The kernel releases the lock when the process dies, however it dies. A UserError names the process that
    holds the lock already.
    """
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise UserError(
                f"{path.parent}: process {file.read().strip() or 'unknown'} is at work on this experiment; "
                "wait until it has ended, or stop it"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def write_text(path: Path, text: str) -> None:
    """`write_bytes` for text, in UTF-8."""
    try:
        content = text.encode()
    except UnicodeEncodeError as error:
        # As Python reads paths and variables that are not UTF-8.
        near = text[max(0, error.start - 40) : error.end + 40]
        raise UserError(
            f"{path}: would hold a name that is not UTF-8, near {near!r}; rename it, also in TMPDIR and --out"
        ) from None
    write_bytes(path, content)


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """`write_text` for a long text that nobody holds as a whole."""
    _write(path, (line.encode() for line in lines))


def write_json(path: Path, document: object) -> None:
    """`write_text` for a JSON document, indented for people."""
    write_text(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def sha256(texts: Iterable[str]) -> str:
    """The SHA-256 of the concatenated texts, in hexadecimal digits."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode())
    return digest.hexdigest()
