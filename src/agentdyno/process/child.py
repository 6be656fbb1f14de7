"""A child process that never outlives the harness."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from agentdyno.errors import UserError
from agentdyno.process import die_with_parent
from agentdyno.process.pidfd import pidfd_open, send_signal

PATIENCE_S = 6.0
"""How long a child may take to end after SIGTERM; the contract allows a runtime 5 s."""


class Child:
    """A program in its own session, so that a Ctrl-C at the terminal reaches only the harness.

    The child gets a signal when the harness dies, and is stopped (SIGTERM, then SIGKILL) at the end of the
    `with` block. Only `reap` and `stop` reap the child, so that the kernel's data about it stays readable
    after it has ended. `orphans.no_survivors` handles the processes that the child leaves behind.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        stdin: int | IO[bytes] = subprocess.DEVNULL,
        stdout: int | IO[bytes] = subprocess.DEVNULL,
        stderr: int | IO[bytes] = subprocess.DEVNULL,
        join: Sequence[Path] = (),
        has_one_thread: bool = False,
    ) -> None:
        """Start the program and wait until it is executed; a UserError says why when that is impossible.

        `join` are the `cgroup.procs` files of control groups that it joins before its first instruction.
        `has_one_thread` says so of this process, which may then do in a fork (fork(2)) what an interpreter of
        its own does otherwise, and which takes 20 ms less; `join` is not for that.
        """
        options: dict[str, Any] = {"stdin": stdin, "stdout": stdout, "stderr": stderr}
        options |= {"cwd": cwd, "env": dict(environment), "start_new_session": True}
        taken_over, launcher_end = os.pipe()
        with open(taken_over, "rb") as report:
            try:
                if has_one_thread:
                    own_part = partial(die_with_parent.prepare, os.getpid(), launcher_end)
                    self._process = subprocess.Popen(argv, preexec_fn=own_part, **options)
                else:
                    launcher = [sys.executable, "-I", "-S", die_with_parent.__file__, str(os.getpid())]
                    launcher += [str(launcher_end), str(len(join)), *map(str, join)]
                    self._process = subprocess.Popen([*launcher, *argv], pass_fds=[launcher_end], **options)
            except OSError as error:
                raise UserError(f"cannot execute {argv[0]} in {cwd}: {error.strerror}", status=1) from None
            finally:
                os.close(launcher_end)
            t_executed, _, problem = report.read().decode().rpartition("\n")
        self.t_executed = int(t_executed or 0)
        """When the launcher executed the program, in ns of CLOCK_MONOTONIC."""
        self.pid = self._process.pid
        self._pidfd = pidfd_open(self.pid)
        if problem:
            self.__exit__(None, None, None)
            raise UserError(f"cannot execute {argv[0]} in {cwd}: {problem}", status=1)

    @property
    def stdout(self) -> IO[bytes] | None:
        """The reading end, if `stdout` was `subprocess.PIPE`."""
        return self._process.stdout

    def has_ended(self, timeout_s: float) -> bool:
        """Wait at most `timeout_s` for the end of the child; it is not reaped."""
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        return bool(poll.poll(timeout_s * 1000))

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the child only; a signal to an ended child has no effect."""
        send_signal(self._pidfd, number)

    def reap(self) -> int:
        """Wait for the end of the child; return its exit status, or minus the signal that ended it."""
        return self._process.wait()

    def stop(self, patience_s: float = PATIENCE_S) -> int:
        """End the child if it has not ended (SIGTERM, then SIGKILL), and reap it; returns as `reap`."""
        if self._process.returncode is None:
            if not self.has_ended(0):
                self.signal(signal.SIGTERM)
            if not self.has_ended(patience_s):
                self.signal(signal.SIGKILL)
            self.reap()
        return self._process.returncode

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        os.close(self._pidfd)
        if self._process.stdout is not None:
            self._process.stdout.close()
