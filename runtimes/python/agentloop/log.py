"""One line for one failure, and the one line on stderr with which a run that cannot go on ends."""

import contextlib
import os
import re

STDERR = 2

_BREAKS = re.compile("[\x00-\x20\x7f-\x9f\u2028\u2029]+")


def one_line(text: str) -> str:
    """Return the text without line ends and control characters; runs of them and of spaces are one space."""
    return _BREAKS.sub(" ", text).strip(" ")


def log_line(line: str) -> None:
    """Write the line; where nobody reads it, the exit status says the same."""
    # The interpreter would flush sys.stderr once more at its end, and exit with 120 when that fails.
    with contextlib.suppress(OSError):
        os.write(STDERR, f"agentloop: {one_line(line)}\n".encode("utf-8", "replace"))
