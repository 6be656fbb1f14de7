"""The folder that a run's workspaces lie in, and what is left of it when the harness itself was killed."""

import contextlib
import os
import shutil
import signal
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from agentdyno.measure import proc
from agentdyno.process.orphans import Survivor, look_at
from agentdyno.process.pidfd import pidfd_open, send_signal
from agentdyno.verifiers import MARK

LINK = "workspaces"
"""In the run's folder while the run goes on: leads to the folder that holds OWNER and WITHIN."""

OWNER = "owner"
WITHIN = "w"
PREFIX = "agentdyno-"
_MARKED = f"{MARK}=".encode()


@contextlib.contextmanager
def workspaces(run: Path) -> Iterator[Path]:
    """A folder for the workspaces of the run in folder `run`, gone afterwards."""
    root = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
    try:
        (root / OWNER).write_text(_identity(run))
        (run / LINK).symlink_to(root)
        (root / WITHIN).mkdir()
        yield root / WITHIN
    finally:
        shutil.rmtree(root, ignore_errors=True)
        (run / LINK).unlink(missing_ok=True)


def remove_left(run: Path, command: Sequence[str]) -> None:
    """Remove the workspaces of a run whose harness was killed, and kill the processes that still work there
    and the runtime, if it runs on: the process with exactly this command.

    Only what is provably the run's is touched: its link leads to a folder that belongs to this user, has a
    name that agentdyno gives, and names the run as its owner.
    """
    try:
        root = Path(os.readlink(run / LINK))
        status = root.lstat()
        if not (stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()):
            return
        if not (root.name.startswith(PREFIX) and (root / OWNER).read_text() == _identity(run)):
            return
    except (OSError, ValueError):
        return
    words = [os.fsencode(word) for word in command]
    _kill(lambda seen: seen.command == words or _is_within(seen.folder, root))
    shutil.rmtree(root, ignore_errors=True)


def _kill(is_left: Callable[[Survivor], bool]) -> None:
    for process in proc.every(but={os.getpid()}):
        with contextlib.suppress(ProcessLookupError):
            pidfd = pidfd_open(process.pid)
            try:
                # Looked at when the descriptor is there: the pid may be another process's by now.
                if is_left(look_at(process)):
                    send_signal(pidfd, signal.SIGKILL)
            finally:
                os.close(pidfd)


def is_of_an_attempt(left: Survivor, root: Path, session: int | None, argv: Sequence[str]) -> bool:
    """Whether a process that was left behind is the doing of the code under test, and not a fault of the
    runtime with this session, whose verifier has this `argv`.

    Such a process comes from a verification: it has the mark of one in its environment, or works in a
    workspace. It has left the group that the runtime has to kill. What is still in a group of the runtime's
    session, and the verifier itself, are the runtime's to kill.
    """
    if not (any(word.startswith(_MARKED) for word in left.environment) or _is_within(left.folder, root)):
        return False
    process = left.process
    if process.session != session:
        return True
    return process.group == process.pid and left.command != [os.fsencode(word) for word in argv]


def _is_within(folder: str, root: Path) -> bool:
    return folder.startswith(f"{root}/")


def _identity(run: Path) -> str:
    """What names the run's folder, wherever it is moved to on its file system."""
    status = run.stat()
    return f"{status.st_dev}:{status.st_ino}\n"
