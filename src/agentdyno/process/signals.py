"""The signals that interrupt a command: SIGINT (Ctrl-C), SIGTERM, and SIGHUP (the terminal closes)."""

import signal
from types import FrameType, TracebackType
from typing import Self


class Interrupted(BaseException):
    """One of these signals arrived. It is no Exception, so that only the outermost command catches it."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(number.name)
        self.number = number

    @property
    def status(self) -> int:
        """The exit status by the shell's convention: 130, 143 or 129."""
        return 128 + self.number


class Interrupts:
    """Handles the three signals within the `with` block: raises at once, or after `defer` only in `check`.

    An exception between any two instructions could come after a resource is created and before the line that
    protects it. So once the program has resources to remove, a signal is only noted, and `check` raises it
    where the program waits. Later signals have no effect, because the program is already shutting down. A
    SIGHUP that the caller ignores, as nohup(1) does, stays ignored.
    """

    def __init__(self) -> None:
        self._number: signal.Signals | None = None
        self._deferred = False

    def __enter__(self) -> Self:
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        handled = [
            number
            for number in numbers
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN
        ]
        self._before = {number: signal.signal(number, self._note) for number in handled}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def defer(self) -> None:
        """From now on, raise only in `check`."""
        self._deferred = True

    def check(self) -> None:
        """Raise Interrupted if a signal arrived and was not raised yet."""
        if self._number is not None and self._deferred:
            self._deferred = False
            raise Interrupted(self._number)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._number is None:
            self._number = signal.Signals(number)
            if not self._deferred:
                raise Interrupted(self._number)
