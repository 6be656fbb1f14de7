"""Takes receipts (receipt.c) while a run goes on, and writes a line of JSON for each when it is whole."""

import contextlib
import json
import os
import selectors
import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from agentdyno.measure import proc
from agentdyno.rundata.receipts import GONE
from agentdyno.verifiers import Verifier

_BACKLOG = 4096
_MESSAGE = 4096
_SEEN = b"."
_CREDENTIALS = struct.Struct("3i")


@dataclass(slots=True)
class Receipt:
    """One verification; times are CLOCK_MONOTONIC in ns.

    What the receipt says: it began at `t_start`, when the files of its folder had these hashes, None for a
    file that could not be read, and `others` more entries lay there. It ended at `t_end`, as `exit_code` or
    `signal` say, after `cpu_us` of processor time; all four are None where it was killed. What the harness
    saw: at `t_closed` the sender was gone. `problem` says why the sender is not to be believed, and
    `by_attempt` whether it was the code under test.
    """

    pid: int
    problem: str | None = None
    by_attempt: bool = False
    t_start: int | None = None
    solution_sha256: str | None = None
    tests_sha256: str | None = None
    others: int | None = None
    t_end: int | None = None
    exit_code: int | None = None
    signal: int | None = None
    cpu_us: int | None = None
    t_closed: int | None = None

    def take(self, message: str) -> None:
        """Take in a message; one that no receipt sends is a problem."""
        try:
            kind, *fields = message.split(" ")
            if kind == "start" and self.t_start is None:
                t, solution, tests, others = fields
                self.t_start, self.others = int(t), int(others)
                self.solution_sha256 = None if solution == "-" else solution
                self.tests_sha256 = None if tests == "-" else tests
                return
            if kind == "end" and self.t_start is not None and self.t_end is None:
                self.t_end, code, number, self.cpu_us = map(int, fields)
                self.exit_code, self.signal = (code, None) if number == 0 else (None, number)
                return
        except ValueError:
            pass
        self.problem = self.problem or "it says what no receipt says"


_FIELDS = [field.name for field in fields(Receipt)]


class Listener:
    """A thread that takes the receipts of one run.

    A sender is believed if the kernel says that it is the receipt's program, with exactly the `command` and
    the `environment` that the run file asks for, in a folder below `workspaces`. A sender is told when it
    has been looked at, and does not end before that. One that was killed before has the problem GONE.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], workspaces: Path, file: Path
    ) -> None:
        """`command` begins with the program and the name of its socket."""
        self._command = b"".join(os.fsencode(word) + b"\0" for word in command)
        self._environment = sorted(os.fsencode(f"{name}={value}") for name, value in environment.items())
        self._program = os.stat(command[0])
        self._workspaces = f"{workspaces}/"
        self._file = file.open("w", encoding="utf-8", buffering=1)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.bind(f"\0{command[1]}")
        self._socket.listen(_BACKLOG)
        self._socket.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ)
        self._stop = os.eventfd(0)
        self._selector.register(self._stop, selectors.EVENT_READ)
        self._open: dict[socket.socket, Receipt] = {}
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._listen, name="receipts", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take what has been sent, and end; raises the OSError of a file that could not be written."""
        os.eventfd_write(self._stop, 1)
        self._thread.join()
        os.close(self._stop)
        self._socket.close()
        self._selector.close()
        self._file.close()
        if self._error is not None:
            raise self._error

    def _listen(self) -> None:
        try:
            ending = False
            while not ending:
                ready = [key.fileobj for key, _ in self._selector.select()]
                ending = self._stop in ready
                if self._socket in ready or ending:
                    self._accept()
                for sender in ready:
                    if isinstance(sender, socket.socket) and sender is not self._socket:
                        self._receive(sender)
            for sender in list(self._open):
                self._receive(sender)
            for sender in list(self._open):
                self._closed(sender)
        except OSError as error:
            self._error = error

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                sender, _ = self._socket.accept()
                sender.setblocking(False)
                pid, user, _ = _CREDENTIALS.unpack(
                    sender.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
                )
                if user != os.geteuid():  # Somebody else on this machine, whom nobody asked.
                    sender.close()
                    continue
                self._open[sender] = receipt = Receipt(pid)
                self._look_at(receipt)
                with contextlib.suppress(OSError):  # It was killed.
                    sender.send(_SEEN)
                self._selector.register(sender, selectors.EVENT_READ)

    def _look_at(self, receipt: Receipt) -> None:
        """Note who sent the receipt, by what the kernel says of the process."""
        folder = f"/proc/{receipt.pid}"
        try:
            program = os.stat(f"{folder}/exe")
            command = _read(f"{folder}/cmdline")
            environment = sorted(_read(f"{folder}/environ").split(b"\0")[:-1])
            where = os.readlink(f"{folder}/cwd")
        except OSError:
            command = b""
        if not command:  # A process that is ending loses its memory first (exit_mm in kernel/exit.c).
            receipt.problem = GONE
            return
        receipt.by_attempt = self._is_below_an_attempt(receipt.pid)
        if (program.st_dev, program.st_ino) != (self._program.st_dev, self._program.st_ino):
            receipt.problem = "another program sent it"
        elif command != self._command:
            receipt.problem = "it runs another command than verify.argv"
        elif environment != self._environment:
            receipt.problem = "it runs in another environment than verify.env"
        elif not where.startswith(self._workspaces):
            receipt.problem = "its folder is not below workspaces"

    def _is_below_an_attempt(self, pid: int) -> bool:
        """Whether the process comes from a verification, as far as the kernel still knows."""
        senders = {each.pid for each in self._open.values() if each.problem is None}
        for _ in range(64):
            process = proc.read(pid)
            if process is None or process.parent in (0, 1, os.getpid()):
                return False
            if process.parent in senders:
                return True
            pid = process.parent
        return False

    def _receive(self, sender: socket.socket) -> None:
        """Take what there is of the sender's messages; without a next one, the sender is gone."""
        try:
            while message := sender.recv(_MESSAGE):
                self._open[sender].take(message.decode(errors="replace"))
        except BlockingIOError:
            return
        except ConnectionResetError:
            pass
        self._closed(sender)

    def _closed(self, sender: socket.socket) -> None:
        receipt = self._open.pop(sender)
        receipt.t_closed = time.monotonic_ns()
        self._selector.unregister(sender)
        sender.close()
        # `dataclasses.asdict` makes deep copies and takes ten times as long.
        self._file.write(json.dumps({name: getattr(receipt, name) for name in _FIELDS}) + "\n")


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


@contextlib.contextmanager
def listening(
    command: Sequence[str], environment: Mapping[str, str], workspaces: Path, file: Path
) -> Iterator[Listener]:
    """A listener that ends with the block."""
    listener = Listener(command, environment, workspaces, file)
    try:
        yield listener
    finally:
        listener.close()


def receipts_of(
    verifier: Verifier, workspaces: Path, file: Path
) -> contextlib.AbstractContextManager[Listener | None]:
    """A listener for a run's verifications, if the verifier sends receipts."""
    if verifier.receipt is None:
        return contextlib.nullcontext()
    return listening(verifier.argv, verifier.environment, workspaces, file)
