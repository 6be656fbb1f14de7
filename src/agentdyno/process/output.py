"""Output that cannot end a measurement: its reader may leave, and its encoding may lack characters."""

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from agentdyno.format import printable

MOST_SHOWN = 500
"""Characters of a line that a program has written."""


def last_line(stderr: Path) -> str | None:
    """The last line that a program wrote to this file, fit for a terminal; None where it wrote nothing."""
    if not stderr.exists():
        return None
    lines = stderr.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return printable(lines[-1][:MOST_SHOWN]) if lines else None


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
    """A stream whose reader may leave; what is written after that is dropped.

    A pipe without a reader is said once on stderr, where `said` is. A terminal that was closed needs no word:
    it is said by SIGHUP.
    """

    def __init__(self, stream: TextIO, said: str | None = None) -> None:
        self._stream = stream
        self._said = said

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
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.EIO):
                raise
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
            if self._said is not None and error.errno == errno.EPIPE:
                print(self._said, file=sys.stderr)


@contextlib.contextmanager
def unheard() -> Iterator[None]:
    """For the block, stdout and stderr are streams whose readers may leave."""
    before = sys.stdout, sys.stderr
    sys.stdout = Unheard(sys.stdout, "agentdyno: nobody reads stdout any more; the measurement goes on")
    sys.stderr = Unheard(sys.stderr)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = before
