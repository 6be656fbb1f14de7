"""Ctrl-C, SIGTERM, and SIGHUP when the terminal goes."""

import signal
from types import FrameType, TracebackType
from typing import Self


class Interrupted(BaseException):
    """One of these signals came. Not an Exception, so that only the outermost command catches it."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(number.name)
        self.number = number

    @property
    def status(self) -> int:
        """The exit status by the shell's custom: 130, 143 or 129."""
        return 128 + self.number


class Interrupts:
    """Those three signals while the `with` block lasts: raised at once, and after `defer` only where asked.

    An exception that may come between any two instructions can come between making a thing and the line that
    would remove it. So once there is something to remove, a signal is only noted, and `check` raises it at
    the places where the program waits. Later signals change nothing: the orderly end is under way already.
    """

    def __init__(self) -> None:
        self._number: signal.Signals | None = None
        self._deferred = False

    def __enter__(self) -> Self:
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        self._before = {number: signal.signal(number, self._note) for number in numbers}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def defer(self) -> None:
        """From now on raise only in `check`."""
        self._deferred = True

    def check(self) -> None:
        """Raise Interrupted if a signal has come and was not raised yet."""
        if self._number is not None and self._deferred:
            self._deferred = False
            raise Interrupted(self._number)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._number is None:
            self._number = signal.Signals(number)
            if not self._deferred:
                raise Interrupted(self._number)
