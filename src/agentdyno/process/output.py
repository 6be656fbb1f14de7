"""Output that cannot end a measurement: its reader may leave, and its encoding may lack characters."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO


def tolerate_encodings() -> None:
    """Print `?` for a character that the encoding of stdout or stderr lacks, as ASCII lacks `×`.

    A stream that was closed before the program began leads nowhere.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


class Unheard:
    """A stream whose reader may leave; what is written after that is dropped, and said once on stderr."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the text, or drop it."""
        with self._reader_may_leave():
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Send what was written, or drop it."""
        with self._reader_may_leave():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @contextlib.contextmanager
    def _reader_may_leave(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
            print("agentdyno: nobody reads stdout any more; the measurement goes on", file=sys.stderr)


@contextlib.contextmanager
def unheard() -> Iterator[None]:
    """For the block, stdout is a stream whose reader may leave."""
    before = sys.stdout
    sys.stdout = Unheard(before)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stdout = before
