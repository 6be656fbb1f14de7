"""The one line on stderr with which a run that cannot go on ends."""

import contextlib
import os

STDERR = 2


def log_line(line: str) -> None:
    """Write the line; where nobody reads it, the exit status says the same."""
    # The interpreter would flush sys.stderr once more at its end, and exit with 120 when that fails.
    with contextlib.suppress(OSError):
        os.write(STDERR, f"agentloop: {line}\n".encode("utf-8", "replace"))
