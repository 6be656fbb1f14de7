"""Child processes in groups of their own, that are always killed and reaped.

`posix_spawn` copies nothing of this process, and so does not slow down as it grows. A pidfd tells the end of
exactly one child, so that nothing here can take another's exit status.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
import struct
import termios
import threading
from collections.abc import Mapping
from dataclasses import dataclass

_ALL_SIGNALS = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
_READ_BYTES = 64 * 1024

# `posix_spawn` starts a child in the folder of this process, which is one for all its threads.
_FOLDER_OF_THIS_PROCESS = threading.Lock()


@dataclass(frozen=True, slots=True)
class Finished:
    """How a process ended, by an `exit_code` or by a `signal` (the other is None), and what it wrote last."""

    exit_code: int | None
    signal: int | None
    timed_out: bool
    stdout: bytes
    stderr: bytes


def find_program(name: str, search_path: str) -> str | None:
    """Return the path of a program, sought on the search path if its name has no slash, or None.

    A relative path is returned as it is: whether it leads anywhere depends on the folder it is started in.
    """
    if "/" in name and not os.path.isabs(name):
        return name
    folders = [os.sep] if os.path.isabs(name) else search_path.split(os.pathsep)
    for folder in folders:
        candidate = os.path.join(folder, name)
        if os.path.isabs(folder) and os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    return None


def pass_no_descriptors_on() -> None:
    """Keep what this process has inherited beside stdin, stdout and stderr from the children that come."""
    for number in map(int, os.listdir("/proc/self/fd")):
        with contextlib.suppress(OSError):  # The one that this listing took.
            os.set_inheritable(number, number <= 2)


class Child:
    """A running process, the leader of its own group. As a context it is left only when the group is dead."""

    def __init__(
        self,
        program: str,
        argv: list[str],
        environment: Mapping[str, str],
        folder: str,
        output_limit_bytes: int,
    ) -> None:
        """Start `program` in `folder`, keeping the end of its stdout and of its stderr; raises `OSError`."""
        with contextlib.ExitStack() as on_failure:
            self._stdout = on_failure.enter_context(_Output(output_limit_bytes))
            self._stderr = on_failure.enter_context(_Output(output_limit_bytes))
            with _FOLDER_OF_THIS_PROCESS, contextlib.chdir(folder):
                self._pid = os.posix_spawn(
                    program,
                    argv,
                    environment,
                    file_actions=[
                        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                        (os.POSIX_SPAWN_DUP2, self._stdout.write_end, 1),
                        (os.POSIX_SPAWN_DUP2, self._stderr.write_end, 2),
                    ],
                    setpgroup=0,
                    setsigmask=[],
                    setsigdef=_ALL_SIGNALS,
                )
                on_failure.callback(_end, self._pid)
            self._pidfd = os.pidfd_open(self._pid)
            on_failure.callback(os.close, self._pidfd)
            self._stdout.watch()
            self._stderr.watch()
            on_failure.pop_all()
        self._reaped = False

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        if not self._reaped:
            self._kill()
            self._reap()

    async def finish(self, timeout_s: float) -> Finished:
        """Wait until the process has ended; its group is killed after `timeout_s` seconds."""
        loop = asyncio.get_running_loop()
        ended = loop.create_future()
        timed_out = False

        def stop() -> None:
            nonlocal timed_out
            timed_out = not ended.done()
            self._kill()

        loop.add_reader(self._pidfd, _resolve, ended)
        timer = loop.call_later(timeout_s, stop)
        try:
            await ended
        finally:
            timer.cancel()
            loop.remove_reader(self._pidfd)
        self._kill()  # What the leader has left behind, while its number still belongs to the group.
        status = self._reap()
        exited = status.si_code == os.CLD_EXITED
        return Finished(
            exit_code=status.si_status if exited else None,
            signal=None if exited else status.si_status,
            timed_out=timed_out,
            stdout=self._stdout.tail,
            stderr=self._stderr.tail,
        )

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, signal.SIGKILL)
        # The leader may have moved to another group.
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def _reap(self) -> os.waitid_result:
        # By its number: an event loop may have made the pidfd one that does not wait.
        status = os.waitid(os.P_PID, self._pid, os.WEXITED)
        assert status is not None
        self._reaped = True
        os.close(self._pidfd)
        self._stdout.close()
        self._stderr.close()
        return status


class _Output:
    """A pipe of which the last bytes are kept."""

    def __init__(self, limit_bytes: int) -> None:
        self._read_end, self.write_end = os.pipe2(os.O_CLOEXEC)
        self._is_watched = False
        self._limit_bytes = limit_bytes
        self._kept = bytearray()

    def __enter__(self) -> "_Output":
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_watched:
            asyncio.get_running_loop().remove_reader(self._read_end)
        else:
            os.close(self.write_end)
        os.close(self._read_end)

    @property
    def tail(self) -> bytes:
        return bytes(self._kept)

    def watch(self) -> None:
        """Read whatever comes, from now on; the child alone has the other end."""
        asyncio.get_running_loop().add_reader(self._read_end, self._read)
        os.close(self.write_end)
        self._is_watched = True

    def close(self) -> None:
        """Read what the pipe holds now and no more: a descendant that got away may write for ever."""
        asyncio.get_running_loop().remove_reader(self._read_end)
        (held,) = struct.unpack("i", fcntl.ioctl(self._read_end, termios.FIONREAD, bytes(4)))
        while held > 0:
            held -= self._read()
        os.close(self._read_end)

    def _read(self) -> int:
        piece = os.read(self._read_end, _READ_BYTES)
        if not piece:
            asyncio.get_running_loop().remove_reader(self._read_end)
        self._kept += piece
        del self._kept[: -self._limit_bytes]
        return len(piece)


def _end(pid: int) -> None:
    for kill in (os.killpg, os.kill):  # It may have left its group already.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def _resolve(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
